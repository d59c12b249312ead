-- Sessions, cut per stream.
-- Grain: one row per session.
-- Caveat: session_no counts a profile's sessions by the event order of their first events.
-- Reads: session_now
select
  session_id,
  stream,
  profile_id,
  row_number() over (
    partition by profile_id
    order by started_at, start_ordinal, session_id
  ) as session_no,
  started_at,
  ended_at,
  event_count,
  first_event,
  last_event,
  source,
  started_because,
from session_now
