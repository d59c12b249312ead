-- Refused input, byte for byte, with the reason.
-- Grain: one row per refused line and reason.
-- Caveat: resolved_at is set when the line was replayed and not refused for the same reason.
-- Reads: dead_letter_resolution, dead_letters_log
select
  dead_letters_log.dead_letter_id,
  raw,
  reason,
  detail,
  received_at,
  origin,
  dead_letters_log.recorded_at,
  dead_letters_log.recorded_by,
  resolution.resolved_at,
  resolution.resolved_by,
from dead_letters_log
left join (
  select
    dead_letter_id,
    min(recorded_at) as resolved_at,
    min(recorded_by) as resolved_by,
  from dead_letter_resolution
  group by dead_letter_id
) as resolution
  on resolution.dead_letter_id = dead_letters_log.dead_letter_id
