-- Commits.
-- Grain: one row per micro-batch.
-- Caveat: everything that a batch recorded became visible together with its row.
-- Reads: batches_log
select
  batch,
  recorded_at,
  watermark,
  origin,
  read_count,
  landed_count,
  duplicate_count,
  rejected_count,
  inserted_count,
  superseded_count,
  effect_count,
from batches_log
