-- Members of each cohort as of its last run.
-- Grain: one row per cohort and profile.
-- Caveat: later events are not included. entered_at is the event time of the run in which the
-- profile entered.
-- Reads: cohort_member_now
select
  cohort,
  profile_id,
  entered_at,
from cohort_member_now
