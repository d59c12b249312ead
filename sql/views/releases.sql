-- Recorded actions on definitions: registered with their content, replayed beside the live version,
-- promoted, rolled back to.
-- Grain: one row per registration, replay, promotion or rollback.
-- Caveat: the live version of a journey is the one that was promoted or rolled back to last.
-- released_by is null for rows that a run recorded by itself. In BigQuery hash is a reserved word:
-- write releases.hash.
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
