-- Transitions between states, for the live version of each journey.
-- Grain: one row per transition.
-- Caveat: seq counts within the instance. A timeout has no event and no session.
-- Reads: live_release, transition_now
with instances as (
  select
    instance_group,
    instance_start_event_id,
    row_number() over (
      partition by instance_group
      order by instance_started_at, instance_start_ordinal, instance_start_event_id
    ) as instance_no,
  from transition_now
  where seq = 1
)
select
  transition_id,
  transition_now.journey,
  transition_now.version,
  instance_id,
  instance_no,
  profile_id,
  track,
  seq,
  cause,
  from_state,
  to_state,
  event_id,
  event_name,
  source,
  session_id,
  occurred_at,
  dwell_ms,
  visit,
from transition_now
inner join live_release
  on live_release.journey = transition_now.journey
  and live_release.version = transition_now.version
inner join instances
  on instances.instance_group = transition_now.instance_group
  and instances.instance_start_event_id = transition_now.instance_start_event_id
