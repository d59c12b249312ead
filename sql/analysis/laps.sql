-- How much a further lap helps: conversion after going round a path once, twice, three times …
-- Grain: one row per path and lap, by journey, version and track.
-- Caveat: instances of lap 3 are also among those of laps 1 and 2. converted_count counts those
-- that converted after the lap, whether they went round again or not; leaving_count those that did
-- not go round again, leaving_converted_count those of them that converted.
-- Reads: cycles, states
with ends as (
  select
    journey,
    version,
    instance_id,
    track,
    entered_at as converted_at,
  from states
  where is_final
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
    div((unix_micros(converted_at) - unix_micros(ended_at)), 1000) as time_to_convert_ms,
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
  countif(lap_no = lap_count) as leaving_count,
  countif(lap_no = lap_count and time_to_convert_ms is not null) as leaving_converted_count,
  min(if(2 * time_rank >= time_count, time_to_convert_ms, null)) as median_time_to_convert_ms,
from ranked
group by journey, version, track, anchor, path, lap_no
