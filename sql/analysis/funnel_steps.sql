-- Funnels step by step: how many reached each step, and their outcome.
-- Grain: one row per funnel and step, including steps that nobody reached.
-- Caveat: counts are of the funnel's unit (count_by). converted, dropped and pending are the
-- outcomes of the units that reached the step, and add up to reached; went_on counts those that
-- reached a later step. matured_count counts the matured units that reached the previous step that
-- is not optional, and matured_converted_count those of them that reached this step. matured_rate
-- is therefore from one step to the next, and null for the first; funnel_conversion has the whole
-- funnel. Times are nearest-rank quantiles from the previous step reached, in the unit's first
-- attempt that reached the step.
-- Reads: funnel_definitions, funnel_unit_step_times, funnel_units
with ranked as (
  select
    reached.funnel,
    reached.journey,
    step_no,
    outcome,
    is_matured,
    deepest_step > step_no as is_further,
    since_previous_ms,
    row_number() over (
      partition by reached.funnel, reached.journey, step_no
      order by since_previous_ms nulls last
    ) as since_previous_rank,
    count(since_previous_ms) over (
      partition by reached.funnel, reached.journey, step_no
    ) as since_previous_count,
  from funnel_unit_step_times as reached
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
    countif(is_matured) as matured_reached,
    min(
      if(2 * since_previous_rank >= since_previous_count, since_previous_ms, null)
    ) as median_since_previous_ms,
    min(
      if(10 * since_previous_rank >= 9 * since_previous_count, since_previous_ms, null)
    ) as p90_since_previous_ms,
  from ranked
  group by funnel, journey, step_no
),
defined as (
  select
    funnel,
    journey,
    version,
    step_no,
    step,
    is_optional,
    count_by,
    within_ms,
    options,
    max(if(is_optional, null, step_no)) over (
      partition by funnel, journey
      order by step_no
      rows between unbounded preceding and 1 preceding
    ) as step_no_before,
  from funnel_definitions
),
joined as (
  select
    defined.funnel,
    defined.journey,
    version,
    defined.step_no,
    step,
    is_optional,
    count_by,
    within_ms,
    step_no_before,
    coalesce(counted.reached, 0) as reached,
    coalesce(counted.went_on, 0) as went_on,
    coalesce(counted.converted, 0) as converted,
    coalesce(counted.dropped, 0) as dropped,
    coalesce(counted.pending, 0) as pending,
    if(within_ms is null, null, coalesce(counted.matured_reached, 0)) as matured_reached,
    if(within_ms is null, null, coalesce(before.matured_reached, 0)) as matured_before,
    counted.median_since_previous_ms,
    counted.p90_since_previous_ms,
    options,
  from defined
  left join counted
    on counted.funnel = defined.funnel
    and coalesce(counted.journey, '') = coalesce(defined.journey, '')
    and counted.step_no = defined.step_no
  left join counted as before
    on before.funnel = defined.funnel
    and coalesce(before.journey, '') = coalesce(defined.journey, '')
    and before.step_no = step_no_before
),
matured as (
  select
    funnel,
    journey,
    version,
    step_no,
    step,
    is_optional,
    count_by,
    reached,
    went_on,
    converted,
    dropped,
    pending,
    if(step_no_before is null, matured_reached, matured_before) as matured_count,
    matured_reached as matured_converted_count,
    nullif(if(step_no_before is null, null, matured_before), 0) as matured_known,
    median_since_previous_ms,
    p90_since_previous_ms,
    options,
  from joined
)
select
  funnel,
  journey,
  version,
  step_no,
  step,
  is_optional,
  count_by,
  reached,
  went_on,
  converted,
  dropped,
  pending,
  converted / nullif(reached, 0) as rate_of_all,
  matured_count,
  matured_converted_count,
  matured_converted_count / matured_known as matured_rate,
  -- Include: wilson
  median_since_previous_ms,
  p90_since_previous_ms,
  options,
from matured
