-- Funnels by day of entry.
-- Grain: one row per funnel and UTC day on which a unit that is told of entered.
-- Caveat: counts are of the funnel's unit (see funnel_units). The last days are young: compare
-- rate_of_decided, and look at pending.
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
    options,
    row_number() over (
      partition by funnel, journey, day order by time_to_convert_ms nulls last
    ) as convert_rank,
    count(time_to_convert_ms) over (partition by funnel, journey, day) as convert_count,
  from days
)
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
  countif(outcome = 'converted')
    / nullif(countif(outcome <> 'pending'), 0) as rate_of_decided,
  countif(outcome = 'converted') / count(outcome) as rate_of_all,
  min(
    if(2 * convert_rank >= convert_count, time_to_convert_ms, null)
  ) as median_time_to_convert_ms,
  any_value(options) as options,
from ranked
group by funnel, journey, version, day, count_by
