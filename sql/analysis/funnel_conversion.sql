-- Conversion of whole funnels, over entries that are old enough to be decided.
-- Grain: one row per funnel, including funnels that nobody entered.
-- Caveat: counts are of the funnel's unit (see funnel_units). Matured units entered at least one
-- window before the watermark. matured_rate is the share of them that converted; it lies between
-- matured_rate_low and matured_rate_high with 95 % confidence (Wilson's interval). Without a window
-- no unit matures, and the four columns are null.
-- Reads: funnel_definitions, funnel_units
with units as (
  select
    funnel,
    journey,
    count(outcome) as entered,
    countif(outcome = 'converted') as converted,
    countif(outcome = 'dropped') as dropped,
    countif(outcome = 'pending') as pending,
    countif(is_matured) as matured_count,
    countif(is_matured and outcome = 'converted') as matured_converted_count,
  from funnel_units
  group by funnel, journey
),
counted as (
  select
    funnel_definitions.funnel,
    funnel_definitions.journey,
    version,
    count_by,
    within_ms,
    coalesce(entered, 0) as entered,
    coalesce(converted, 0) as converted,
    coalesce(dropped, 0) as dropped,
    coalesce(pending, 0) as pending,
    if(within_ms is null, null, coalesce(matured_count, 0)) as matured_count,
    if(within_ms is null, null, coalesce(matured_converted_count, 0)) as matured_converted_count,
    nullif(matured_count, 0) as matured_known,
    options,
  from funnel_definitions
  left join units
    on units.funnel = funnel_definitions.funnel
    and coalesce(units.journey, '') = coalesce(funnel_definitions.journey, '')
  where step_no = 1
)
select
  funnel,
  journey,
  version,
  count_by,
  within_ms,
  entered,
  converted,
  dropped,
  pending,
  converted / nullif(entered, 0) as rate_of_all,
  matured_count,
  matured_converted_count,
  matured_converted_count / matured_known as matured_rate,
  -- Include: wilson
  options,
from counted
