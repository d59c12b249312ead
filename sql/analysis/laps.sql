-- How much another lap helps: conversion after completing a path once, twice, three times …
-- Grain: one row per path and lap, by journey, version and track.
-- Caveat: instances of lap 3 are also counted in laps 1 and 2. converted_count counts instances
-- that succeeded after the lap, with or without further laps, lost_count those that failed (see
-- final_states); the others are pending or neutral. leaving_count counts those without a further
-- lap, leaving_converted_count those of them that converted.
-- Reads: cycles, final_states, states
with ends as (
  select
    states.journey,
    states.version,
    instance_id,
    states.track,
    outcome,
    entered_at,
  from states
  inner join final_states
    on final_states.journey = states.journey
    and final_states.version = states.version
    and final_states.track = states.track
    and final_states.state = states.state
),
numbered as (
  select
    journey,
    version,
    instance_id,
    track,
    anchor,
    path,
    ended_at,
    row_number() over (
      partition by journey, version, instance_id, track, path
      order by cycle_no
    ) as lap_no,
    count(*) over (
      partition by journey, version, instance_id, track, path
    ) as lap_count,
  from cycles
),
timed as (
  select
    numbered.journey,
    numbered.version,
    numbered.track,
    anchor,
    path,
    lap_no,
    lap_count,
    coalesce(outcome, 'pending') as outcome,
    if(
      outcome = 'success',
      div((unix_micros(entered_at) - unix_micros(ended_at)), 1000),
      null
    ) as time_to_convert_ms,
  from numbered
  left join ends
    on ends.journey = numbered.journey
    and ends.version = numbered.version
    and ends.instance_id = numbered.instance_id
    and ends.track = numbered.track
),
ranked as (
  select
    journey,
    version,
    track,
    anchor,
    path,
    lap_no,
    lap_count,
    outcome,
    time_to_convert_ms,
    row_number() over (
      partition by journey, version, track, path, lap_no
      order by time_to_convert_ms nulls last
    ) as time_rank,
    count(time_to_convert_ms) over (
      partition by journey, version, track, path, lap_no
    ) as time_count,
  from timed
)
select
  journey,
  version,
  track,
  anchor,
  path,
  lap_no,
  count(*) as instance_count,
  count(time_to_convert_ms) as converted_count,
  count(time_to_convert_ms) / count(*) as converted_rate,
  countif(outcome = 'failure') as lost_count,
  countif(lap_no = lap_count) as leaving_count,
  countif(lap_no = lap_count and time_to_convert_ms is not null) as leaving_converted_count,
  min(if(2 * time_rank >= time_count, time_to_convert_ms, null)) as median_time_to_convert_ms,
from ranked
group by journey, version, track, anchor, path, lap_no
