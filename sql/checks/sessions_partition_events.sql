-- A row means that a session and its events disagree on the profile, the number of events, the
-- first and last event, or the bounds of the session.
with members as (
  select
    event_profiles.session_id,
    event_profiles.profile_id,
    events.event_id,
    events.name,
    events.occurred_at,
    events.source,
    row_number() over way as place,
    count(*) over (partition by event_profiles.session_id) as member_count,
  from event_profiles
  inner join events
    on events.event_id = event_profiles.event_id
  window way as (
    partition by event_profiles.session_id
    order by events.occurred_at, events.ordinal, events.event_id
  )
),
visits as (
  select
    session_id,
    min(profile_id) as profile_id,
    max(profile_id) as other_profile_id,
    count(*) as event_count,
    min(occurred_at) as started_at,
    max(occurred_at) as ended_at,
    min(if(place = 1, event_id, null)) as first_event_id,
    min(if(place = 1, name, null)) as first_event,
    min(if(place = 1, source, null)) as source,
    min(if(place = member_count, name, null)) as last_event,
  from members
  group by session_id
)
select
  coalesce(sessions.session_id, visits.session_id) as session_id,
  sessions.profile_id,
  visits.profile_id as event_profile_id,
  sessions.event_count,
  visits.event_count as member_count,
from sessions
full outer join visits
  on visits.session_id = sessions.session_id
where sessions.session_id is null
  or visits.session_id is null
  or sessions.session_id <> visits.first_event_id
  or sessions.profile_id <> visits.profile_id
  or sessions.profile_id <> visits.other_profile_id
  or sessions.event_count <> visits.event_count
  or sessions.started_at <> visits.started_at
  or sessions.ended_at <> visits.ended_at
  or sessions.first_event <> visits.first_event
  or sessions.last_event <> visits.last_event
  or sessions.source <> visits.source
