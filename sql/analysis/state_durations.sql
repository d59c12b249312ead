-- How long stays last, and whether a second visit lasts longer than the first.
-- Grain: one row per state and visit, by journey, version and track.
-- Caveat: median_ms and p90_ms are the ages by which half and nine in ten have left, from the
-- survival curve (see survival), which includes open stays. They are null if too many are still
-- inside. Stays in a final state never end.
-- Reads: batches, states
with watermarks as (
  select max(watermark) as watermark from batches
),
stays as (
  select
    journey,
    version,
    track,
    state,
    visit,
    is_final,
    exited_at is not null as has_left,
    div((unix_micros(coalesce(exited_at, watermark)) - unix_micros(entered_at)), 1000) as age_ms,
  from states
  cross join watermarks
),
ages as (
  select
    journey,
    version,
    track,
    state,
    visit,
    is_final,
    age_ms,
    count(*) as stay_count,
    countif(has_left) as left_count,
  from stays
  group by journey, version, track, state, visit, is_final, age_ms
),
risks as (
  select
    journey,
    version,
    track,
    state,
    visit,
    is_final,
    age_ms,
    stay_count,
    left_count,
    cast(
      sum(stay_count) over (
        partition by journey, version, track, state, visit order by age_ms desc
      ) as int64
    ) as at_risk,
  from ages
),
shares as (
  select
    journey,
    version,
    track,
    state,
    visit,
    is_final,
    age_ms,
    stay_count,
    left_count,
    -- Include: survival
  from risks
  window ages as (partition by journey, version, track, state, visit order by age_ms)
)
select
  journey,
  version,
  track,
  state,
  visit,
  is_final,
  cast(sum(left_count) as int64) as completed_count,
  min(if(share_inside <= 0.5, age_ms, null)) as median_ms,
  min(if(share_inside <= 0.1, age_ms, null)) as p90_ms,
  cast(sum(stay_count) - sum(left_count) as int64) as still_inside_count,
from shares
group by journey, version, track, state, visit, is_final
