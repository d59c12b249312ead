-- Whole paths through a journey; order by cumulative_coverage for the most common first.
-- Grain: one row per sequence of states, by journey, version and track.
-- Caveat: running instances count with their path so far. coverage is the share of the track's
-- instances; cumulative_coverage is that of this variant and all more common ones.
-- Reads: transitions
with ways as (
  select
    journey,
    version,
    instance_id,
    track,
    min(profile_id) as profile_id,
    string_agg(to_state, ' > ' order by seq) as path,
    count(*) - 1 as length,
  from transitions
  group by journey, version, instance_id, track
),
counted as (
  select
    journey,
    version,
    track,
    path,
    min(length) as length,
    count(*) as instance_count,
    count(distinct profile_id) as profile_count,
    min(instance_id) as example_instance_id,
  from ways
  group by journey, version, track, path
)
select
  journey,
  version,
  track,
  path,
  length,
  instance_count,
  profile_count,
  instance_count / sum(instance_count) over (partition by journey, version, track) as coverage,
  sum(instance_count) over (
    partition by journey, version, track
    order by instance_count desc, path
    rows between unbounded preceding and current row
  ) / sum(instance_count) over (partition by journey, version, track) as cumulative_coverage,
  example_instance_id,
from counted
