-- Accepted events as they landed.
-- Grain: one row per accepted event.
-- Caveat: append-only; no row is ever superseded.
-- Reads: events_log
select
  event_id,
  name,
  occurred_at,
  ordinal,
  received_at,
  source,
  identifiers,
  properties,
  context,
  alias,
  unlink,
  recorded_at,
  recorded_by,
from events_log
