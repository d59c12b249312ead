-- Funnel units by day, source, steps reached and outcome, as counts that can be added up.
-- Grain: one row per funnel, UTC day and source of the entry, steps, outcome and is_matured.
-- Caveat: counts are of the funnel's unit (see funnel_units). steps lists the steps that the unit
-- reached in any of its attempts, in their order. is_matured is null for a funnel without a window.
-- Sums of unit_count over days and sources give the numbers of funnel_steps and funnel_conversion.
-- Reads: funnel_attempt_steps, funnel_attempt_units, funnel_units
with reached as (
  select distinct
    funnel_attempt_units.funnel,
    funnel_attempt_units.journey,
    unit,
    step_no,
  from funnel_attempt_steps
  inner join funnel_attempt_units
    on funnel_attempt_units.attempt_id = funnel_attempt_steps.attempt_id
),
paths as (
  select
    funnel,
    journey,
    unit,
    string_agg(cast(step_no as string), ',' order by step_no) as steps,
  from reached
  group by funnel, journey, unit
),
units as (
  select
    funnel_units.funnel,
    funnel_units.journey,
    version,
    div(unix_micros(entered_at), 86400000000) as day_no,
    source,
    steps,
    outcome,
    is_matured,
  from funnel_units
  inner join paths
    on paths.funnel = funnel_units.funnel
    and coalesce(paths.journey, '') = coalesce(funnel_units.journey, '')
    and paths.unit = funnel_units.unit
)
select
  funnel,
  journey,
  version,
  date_from_unix_date(day_no) as day,
  source,
  steps,
  outcome,
  is_matured,
  count(*) as unit_count,
from units
group by funnel, journey, version, day_no, source, steps, outcome, is_matured
