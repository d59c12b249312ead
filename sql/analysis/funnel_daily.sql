-- Funnels by day of entry.
-- Grain: one row per funnel and UTC day on which a counted unit entered.
-- Caveat: counts are of the funnel's unit (see funnel_units). Days are comparable once
-- matured_count equals entered; until then matured_rate covers only early entries. Rate and
-- interval are as in funnel_conversion.
-- Reads: funnel_units
with days as (
  select
    funnel,
    journey,
    version,
    count_by,
    date_from_unix_date(div(unix_micros(entered_at), 86400000000)) as day,
    outcome,
    time_to_convert_ms,
    within_ms,
    is_matured,
    options,
  from funnel_units
),
ranked as (
  select
    funnel,
    journey,
    version,
    count_by,
    day,
    outcome,
    time_to_convert_ms,
    within_ms,
    is_matured,
    options,
    row_number() over (
      partition by funnel, journey, day order by time_to_convert_ms nulls last
    ) as convert_rank,
    count(time_to_convert_ms) over (partition by funnel, journey, day) as convert_count,
  from days
),
counted as (
  select
    funnel,
    journey,
    version,
    day,
    count_by,
    count(outcome) as entered,
    countif(outcome = 'converted') as converted,
    countif(outcome = 'dropped') as dropped,
    countif(outcome = 'pending') as pending,
    if(max(within_ms) is null, null, countif(is_matured)) as matured_count,
    if(
      max(within_ms) is null, null, countif(is_matured and outcome = 'converted')
    ) as matured_converted_count,
    nullif(countif(is_matured), 0) as matured_known,
    min(
      if(2 * convert_rank >= convert_count, time_to_convert_ms, null)
    ) as median_time_to_convert_ms,
    any_value(options) as options,
  from ranked
  group by funnel, journey, version, day, count_by
)
select
  funnel,
  journey,
  version,
  day,
  count_by,
  entered,
  converted,
  dropped,
  pending,
  converted / entered as rate_of_all,
  matured_count,
  matured_converted_count,
  matured_converted_count / matured_known as matured_rate,
  -- Include: wilson
  median_time_to_convert_ms,
  options,
from counted
