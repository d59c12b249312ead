-- The outbox: effects of transitions, and retractions.
-- Grain: one row per effect and per retraction.
-- Caveat: this is a log. The effect of a superseded transition stays, followed by its retraction.
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
