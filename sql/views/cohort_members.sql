-- Members of each cohort, as its last run found them.
-- Grain: one row per cohort and profile.
-- Caveat: what has landed since is not in it; entered_at is the event time of the run that let the
-- profile in.
-- Reads: cohort_member_now
select
  cohort,
  profile_id,
  entered_at,
from cohort_member_now
