-- The outbox: what transitions asked to be sent, and what was taken back.
-- Grain: one row per effect, and retraction of one.
-- Caveat: a log: an effect whose transition is superseded stays, followed by its retraction.
-- Reads: effects_log
select
  effect_id,
  kind,
  status,
  type,
  payload,
  transition_id,
  journey,
  version,
  instance_id,
  profile_id,
  occurred_at,
  recorded_at,
  recorded_by,
from effects_log
