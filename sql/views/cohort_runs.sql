-- Runs of cohorts: when each was asked last, and for what event time.
-- Grain: one row per cohort and run.
-- Caveat: a run with nothing committed since the one before leaves no row.
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
