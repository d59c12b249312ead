-- Definitions on record: registered with their content, replayed beside the live version, promoted
-- to be shown, rolled back to.
-- Grain: one row per registration, replay, promotion or rollback.
-- Caveat: the version of a journey that was promoted or rolled back to last is live. released_by is
-- null for what a run put on record by itself. On BigQuery hash is a reserved
-- word: write releases.hash.
-- Reads: releases_log
select
  kind,
  id,
  version,
  action,
  releases_log.hash,
  content,
  reason,
  released_by,
  recorded_at,
  recorded_by,
from releases_log
