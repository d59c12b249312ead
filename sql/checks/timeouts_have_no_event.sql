-- A row means that a timeout carries an event, or that another transition lacks an accepted event
-- of the same name, instant, source, profile and session.
select
  transition_id,
  cause,
  transitions.event_id,
  transitions.event_name,
  transitions.occurred_at,
from transitions
left join events
  on events.event_id = transitions.event_id
left join event_profiles
  on event_profiles.event_id = transitions.event_id
where (cause = 'timeout') <> (events.event_id is null)
  or (cause = 'timeout') <> (event_profiles.event_id is null)
  or (cause = 'timeout') <> (transitions.event_id is null)
  or (cause = 'timeout') <> (transitions.session_id is null)
  or transitions.event_name <> events.name
  or transitions.occurred_at <> events.occurred_at
  or transitions.source <> events.source
  or transitions.profile_id <> event_profiles.profile_id
  or transitions.session_id <> event_profiles.session_id
