-- Which cycles people take, how long these last, and after which people are lost.
-- Grain: one row per cycle path, by journey, version and track.
-- Caveat: converted means that the instance's track is in a successful final state now, lost that
-- it is in a failed one, pending that it is still running (see final_states). All three can only
-- come after the cycle. converted_rate is of all instances, and can still rise while some are
-- pending. Quantiles are nearest-rank.
-- Reads: cycles, final_states, states
with ends as (
  select
    states.journey,
    states.version,
    instance_id,
    states.track,
    outcome,
  from states
  inner join final_states
    on final_states.journey = states.journey
    and final_states.version = states.version
    and final_states.track = states.track
    and final_states.state = states.state
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
    coalesce(outcome, 'pending') as outcome,
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
    count(distinct if(outcome = 'success', instance_id, null)) as converted_count,
    count(distinct if(outcome = 'failure', instance_id, null)) as lost_count,
    count(distinct if(outcome = 'pending', instance_id, null)) as pending_count,
    count(distinct if(outcome = 'failure', profile_id, null)) as lost_profile_count,
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
  lost_count,
  pending_count,
  lost_profile_count,
from summed
