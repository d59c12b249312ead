-- Definitions on record: registered with their content, promoted to be shown.
-- Grain: one row per registration or promotion.
-- Caveat: the version of a journey that was promoted last is live. On BigQuery hash is a reserved
-- word: write releases.hash.
select
  kind,
  id,
  version,
  action,
  releases_log.hash,
  content,
  reason,
  recorded_at,
  recorded_by,
from releases_log
