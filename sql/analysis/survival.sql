-- How long stays in a state last, over all stays including open ones.
-- Grain: one row per state and age at which a stay ended, by journey, version and track; none for
-- final states, which are never left.
-- Caveat: share_inside is the share that is still inside after that age (Kaplan-Meier). An open
-- stay is at risk until its age at the watermark. At equal age, stays that end come before open
-- ones.
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
    exited_at is not null as has_left,
    div((unix_micros(coalesce(exited_at, watermark)) - unix_micros(entered_at)), 1000) as age_ms,
  from states
  cross join watermarks
  where not is_final
),
ages as (
  select
    journey,
    version,
    track,
    state,
    age_ms,
    count(*) as stay_count,
    countif(has_left) as left_count,
  from stays
  group by journey, version, track, state, age_ms
),
risks as (
  select
    journey,
    version,
    track,
    state,
    age_ms,
    left_count,
    cast(
      sum(stay_count) over (
        partition by journey, version, track, state order by age_ms desc
      ) as int64
    ) as at_risk,
  from ages
)
select
  journey,
  version,
  track,
  state,
  age_ms,
  at_risk,
  left_count,
  -- Include: survival
from risks
where left_count > 0
window ages as (partition by journey, version, track, state order by age_ms)
