-- Steps that each counted unit of a funnel reached, in any of its attempts.
-- Grain: one row per funnel and unit (see funnel_units).
-- Caveat: steps are numbers in their order, such as 1,2,4. They are collected as bits, because sets
-- of steps are few and units are many; a funnel has at most 64 steps.
-- Reads: funnel_attempt_steps, funnel_attempt_units, funnel_definitions
with masks as (
  select
    funnel_attempt_units.funnel,
    funnel_attempt_units.journey,
    unit,
    bit_or(if(step_no <= 32, cast(1 as int64) << greatest(step_no - 1, 0), 0)) as low,
    bit_or(if(step_no <= 32, 0, cast(1 as int64) << greatest(step_no - 33, 0))) as high,
  from funnel_attempt_steps
  inner join funnel_attempt_units
    on funnel_attempt_units.attempt_id = funnel_attempt_steps.attempt_id
  group by funnel_attempt_units.funnel, funnel_attempt_units.journey, unit
),
numbers as (
  select distinct step_no from funnel_definitions
),
sets as (
  select
    low,
    high,
    string_agg(cast(step_no as string), ',' order by step_no) as steps,
  from (select distinct low, high from masks) as distinct_masks
  cross join numbers
  where if(
    step_no <= 32,
    low & (cast(1 as int64) << greatest(step_no - 1, 0)),
    high & (cast(1 as int64) << greatest(step_no - 33, 0))
  ) <> 0
  group by low, high
)
select
  funnel,
  journey,
  unit,
  steps,
from masks
inner join sets on sets.low = masks.low and sets.high = masks.high
