-- Steps reached by attempts at funnels, for the live version of each funnel.
-- Grain: one row per attempt and step.
-- Caveat: a skipped optional step has no row. In any order, step_no is the 1-based step position.
-- event_id is null if a timeout entered the state.
-- Reads: funnel_attempt_step_now, live_funnel
select
  attempt_id,
  funnel_attempt_step_now.funnel,
  funnel_attempt_step_now.journey,
  funnel_attempt_step_now.version,
  profile_id,
  step_no,
  step,
  reached_at,
  event_id,
from funnel_attempt_step_now
inner join live_funnel
  on live_funnel.funnel = funnel_attempt_step_now.funnel
  and live_funnel.owner = coalesce(funnel_attempt_step_now.journey, '')
  and live_funnel.version = funnel_attempt_step_now.version
