-- The steps that each unit of a funnel reached, in any of its attempts.
-- Grain: one row per funnel and unit.
-- Caveat: steps lists the numbers of the steps in their order.
-- Reads: funnel_attempt_steps, funnel_attempt_units
with reached as (
  select distinct
    funnel_attempt_units.funnel,
    funnel_attempt_units.journey,
    unit,
    step_no,
  from funnel_attempt_steps
  inner join funnel_attempt_units
    on funnel_attempt_units.attempt_id = funnel_attempt_steps.attempt_id
)
select
  funnel,
  journey,
  unit,
  string_agg(cast(step_no as string), ',' order by step_no) as steps,
from reached
group by funnel, journey, unit
