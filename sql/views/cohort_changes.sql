-- Who entered and left cohorts, and why.
-- Grain: one row per cohort, profile and run that changed it.
-- Caveat: profiles that left because of corrected or identity were members by mistake. This is a
-- log: no row is ever superseded.
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
