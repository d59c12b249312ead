-- Where people continue a journey in another channel.
-- Grain: one row per pair of sources that follow each other in an instance, by journey and version.
-- Caveat: only events that move the instance count, including its start. Timeouts have no source
-- and are skipped; ignored events are not seen.
-- Reads: transitions
with moves as (
  select
    journey,
    version,
    instance_id,
    profile_id,
    source as to_source,
    lag(source) over (
      partition by journey, version, instance_id
      order by seq
    ) as from_source,
  from transitions
  where cause <> 'timeout'
)
select
  journey,
  version,
  from_source,
  to_source,
  count(*) as switch_count,
  count(distinct instance_id) as instance_count,
  count(distinct profile_id) as profile_count,
from moves
where from_source <> to_source
group by journey, version, from_source, to_source
