-- Whose each event is, and in which session.
-- Grain: one row per event.
-- Caveat: an event that today's definitions leave without an identifier is not here.
-- Reads: event_profile_now
select
  event_id,
  profile_id,
  session_id,
from event_profile_now
