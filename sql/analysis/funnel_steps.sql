-- Funnels, step by step: how many came so far, and what became of them.
-- Grain: one row per funnel and step; a step that nobody reached has one too.
-- Caveat: counts are of the funnel's unit (count_by). converted, dropped and pending say how those
-- who reached the step ended, and add up to reached; went_on counts those who came further.
-- rate_of_decided leaves the pending out, rate_of_all does not. Times are nearest-rank quantiles
-- from the step reached before, in the unit's first attempt that came so far.
-- Reads: funnel_attempt_steps, funnel_attempt_units, funnel_definitions, funnel_units
with steps as (
  select
    attempt_id,
    step_no,
    reached_at,
    div(
      (
        unix_micros(reached_at) - unix_micros(
          lag(reached_at) over (partition by attempt_id order by step_no)
        )
      ),
      1000
    ) as since_previous_ms,
  from funnel_attempt_steps
),
reached as (
  select
    funnel,
    journey,
    unit,
    step_no,
    since_previous_ms,
  from steps
  inner join funnel_attempt_units on funnel_attempt_units.attempt_id = steps.attempt_id
  qualify row_number() over (
    partition by funnel, journey, unit, step_no order by reached_at, attempt_no
  ) = 1
),
ranked as (
  select
    reached.funnel,
    reached.journey,
    step_no,
    outcome,
    deepest_step > step_no as is_further,
    since_previous_ms,
    row_number() over (
      partition by reached.funnel, reached.journey, step_no
      order by since_previous_ms nulls last
    ) as since_previous_rank,
    count(since_previous_ms) over (
      partition by reached.funnel, reached.journey, step_no
    ) as since_previous_count,
  from reached
  inner join funnel_units
    on funnel_units.funnel = reached.funnel
    and coalesce(funnel_units.journey, '') = coalesce(reached.journey, '')
    and funnel_units.unit = reached.unit
),
counted as (
  select
    funnel,
    journey,
    step_no,
    count(outcome) as reached,
    countif(is_further) as went_on,
    countif(outcome = 'converted') as converted,
    countif(outcome = 'dropped') as dropped,
    countif(outcome = 'pending') as pending,
    min(
      if(2 * since_previous_rank >= since_previous_count, since_previous_ms, null)
    ) as median_since_previous_ms,
    min(
      if(10 * since_previous_rank >= 9 * since_previous_count, since_previous_ms, null)
    ) as p90_since_previous_ms,
  from ranked
  group by funnel, journey, step_no
)
select
  funnel_definitions.funnel,
  funnel_definitions.journey,
  funnel_definitions.version,
  funnel_definitions.step_no,
  funnel_definitions.step,
  count_by,
  coalesce(reached, 0) as reached,
  coalesce(went_on, 0) as went_on,
  coalesce(converted, 0) as converted,
  coalesce(dropped, 0) as dropped,
  coalesce(pending, 0) as pending,
  converted / nullif(converted + dropped, 0) as rate_of_decided,
  converted / nullif(reached, 0) as rate_of_all,
  median_since_previous_ms,
  p90_since_previous_ms,
  options,
from funnel_definitions
left join counted
  on counted.funnel = funnel_definitions.funnel
  and coalesce(counted.journey, '') = coalesce(funnel_definitions.journey, '')
  and counted.step_no = funnel_definitions.step_no
