-- Share of entries that have converted by each age, over all entries including open ones.
-- Grain: one row per funnel and age at which a unit converted or ended without converting.
-- Caveat: counts are of the funnel's unit (see funnel_units); age counts from the entry of its
-- attempt. Pending units are at risk until the watermark. Attempts that ended otherwise can no
-- longer convert. converted_share and ended_share are cumulative incidences (Aalen-Johansen); with
-- the share still open they add up to 1. At equal age, ends come before open units leave the risk
-- set.
-- Reads: batches, funnel_units
with watermarks as (
  select max(watermark) as watermark from batches
),
exits as (
  select
    funnel,
    journey,
    version,
    count_by,
    outcome,
    div(
      (unix_micros(coalesce(ended_at, watermark)) - unix_micros(entered_at)), 1000
    ) as age_ms,
  from funnel_units
  cross join watermarks
),
ages as (
  select
    funnel,
    journey,
    version,
    count_by,
    age_ms,
    count(outcome) as exit_count,
    countif(outcome = 'converted') as converted_count,
    countif(outcome = 'dropped') as ended_count,
  from exits
  group by funnel, journey, version, count_by, age_ms
),
risks as (
  select
    funnel,
    journey,
    version,
    count_by,
    age_ms,
    converted_count,
    ended_count,
    cast(
      sum(exit_count) over (partition by funnel, journey order by age_ms desc) as int64
    ) as at_risk,
  from ages
),
survivals as (
  select
    funnel,
    journey,
    version,
    count_by,
    age_ms,
    at_risk,
    converted_count,
    ended_count,
    case
      when converted_count + ended_count = at_risk then 0
      else exp(
        sum(
          ln(
            if(
              converted_count + ended_count = at_risk,
              1,
              (at_risk - converted_count - ended_count) / at_risk
            )
          )
        ) over (partition by funnel, journey order by age_ms)
      )
    end as open_share,
  from risks
  where converted_count + ended_count > 0
),
increments as (
  select
    funnel,
    journey,
    version,
    count_by,
    age_ms,
    at_risk,
    converted_count,
    ended_count,
    open_share,
    coalesce(lag(open_share) over (partition by funnel, journey order by age_ms), 1)
      / at_risk as weight,
  from survivals
)
select
  funnel,
  journey,
  version,
  count_by,
  age_ms,
  at_risk,
  converted_count,
  ended_count,
  round(open_share, 9) as open_share,
  round(
    sum(weight * converted_count) over (partition by funnel, journey order by age_ms), 9
  ) as converted_share,
  round(
    sum(weight * ended_count) over (partition by funnel, journey order by age_ms), 9
  ) as ended_share,
from increments
