-- Funnel units by day, source, steps reached and outcome, as counts that can be added up.
-- Grain: one row per funnel, UTC day and source of the entry, steps, outcome and is_matured.
-- Caveat: counts are of the funnel's unit (see funnel_units). steps lists the steps that the unit
-- reached in any of its attempts, in their order. is_matured is null for a funnel without a window.
-- Sums of unit_count over days and sources give the numbers of funnel_steps and funnel_conversion.
-- Reads: funnel_unit_steps, funnel_units
with units as (
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
  inner join funnel_unit_steps
    on funnel_unit_steps.funnel = funnel_units.funnel
    and coalesce(funnel_unit_steps.journey, '') = coalesce(funnel_units.journey, '')
    and funnel_unit_steps.unit = funnel_units.unit
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
