-- The owning profile and the session of each event.
-- Grain: one row per event.
-- Caveat: events without an identifier under the current definitions are not included.
-- Reads: event_profile_now
select
  event_id,
  profile_id,
  session_id,
from event_profile_now
