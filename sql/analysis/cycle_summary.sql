-- Which ways round people take, what they take of their time, and who is lost on them.
-- Grain: one row per path gone round, by journey, version and track.
-- Caveat: converted means that the instance's track is in a final state now, which can only be
-- after the cycle; an instance under way counts as lost until then. Quantiles are nearest-rank.
-- Reads: cycles, states
with ends as (
  select
    journey,
    version,
    instance_id,
    track,
    true as is_converted,
  from states
  where is_final
),
rounds as (
  select
    cycles.journey,
    cycles.version,
    cycles.track,
    path,
    anchor,
    length,
    cycles.instance_id,
    profile_id,
    duration_ms,
    coalesce(is_converted, false) as is_converted,
    row_number() over (
      partition by cycles.journey, cycles.version, cycles.track, path
      order by duration_ms
    ) as duration_rank,
    count(*) over (
      partition by cycles.journey, cycles.version, cycles.track, path
    ) as round_count,
  from cycles
  left join ends
    on ends.journey = cycles.journey
    and ends.version = cycles.version
    and ends.instance_id = cycles.instance_id
    and ends.track = cycles.track
),
summed as (
  select
    journey,
    version,
    track,
    path,
    anchor,
    length,
    count(*) as cycle_count,
    count(distinct profile_id) as profile_count,
    count(distinct instance_id) as instance_count,
    min(if(2 * duration_rank >= round_count, duration_ms, null)) as median_duration_ms,
    min(if(10 * duration_rank >= 9 * round_count, duration_ms, null)) as p90_duration_ms,
    cast(sum(duration_ms) as int64) as total_duration_ms,
    count(distinct if(is_converted, instance_id, null)) as converted_count,
    count(distinct if(is_converted, null, profile_id)) as lost_profile_count,
  from rounds
  group by journey, version, track, path, anchor, length
)
select
  journey,
  version,
  track,
  path,
  anchor,
  length,
  cycle_count,
  profile_count,
  instance_count,
  median_duration_ms,
  p90_duration_ms,
  total_duration_ms,
  converted_count,
  converted_count / instance_count as converted_rate,
  lost_profile_count,
from summed
