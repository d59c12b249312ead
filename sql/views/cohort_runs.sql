-- Runs of cohorts, with the event time of each evaluation.
-- Grain: one row per cohort and run.
-- Caveat: a run without any commit since the previous run has no row.
-- Reads: cohort_runs_log
select
  cohort,
  version,
  evaluated_at,
  member_count,
  entered_count,
  left_count,
  recorded_at,
  recorded_by,
from cohort_runs_log
