-- Who entered and left cohorts, and why.
-- Grain: one row per cohort, profile and run that changed it.
-- Caveat: left because corrected, or because of identity, was never to be a member; a log: nothing
-- here is ever superseded.
-- Reads: cohort_changes_log
select
  cohort,
  version,
  profile_id,
  change,
  reason,
  evaluated_at,
  recorded_at,
  recorded_by,
from cohort_changes_log
