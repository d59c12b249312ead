-- A row means that a funnel attempt and its steps disagree (on the entry, the depth or the
-- conversion), that the outcome does not match the reason for the end, or that one of the two is
-- missing.
with walked as (
  select
    attempt_id,
    min(step_no) as first_step,
    max(step_no) as deepest_step,
    min(reached_at) as entered_at,
    max(reached_at) as last_reached_at,
  from funnel_attempt_steps
  group by attempt_id
)
select
  coalesce(funnel_attempts.attempt_id, walked.attempt_id) as attempt_id,
  funnel_attempts.deepest_step,
  walked.deepest_step as deepest_reached,
  outcome,
  ended_because,
from funnel_attempts
full outer join walked on walked.attempt_id = funnel_attempts.attempt_id
where funnel_attempts.attempt_id is null
  or walked.attempt_id is null
  or first_step <> 1
  or funnel_attempts.deepest_step <> walked.deepest_step
  or funnel_attempts.entered_at <> walked.entered_at
  or converted_at <> last_reached_at
  or (outcome = 'converted') <> (converted_at is not null)
  or (outcome = 'converted') <> (ended_because = 'converted')
  or (outcome = 'pending') <> (ended_because = 'pending')
  or outcome not in ('converted', 'dropped', 'pending')
