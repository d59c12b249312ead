-- A row means that an event has two profiles, or that a profile has an event that never landed.
select
  event_profiles.event_id,
  count(*) as profile_count,
  count(events.event_id) as event_count,
from event_profiles
left join events
  on events.event_id = event_profiles.event_id
group by event_profiles.event_id
having count(*) <> 1 or count(events.event_id) <> 1
