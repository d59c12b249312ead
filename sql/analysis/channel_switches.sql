-- Where a journey goes on in another channel than it was in.
-- Grain: one row per pair of sources that follow each other in an instance, by journey and version.
-- Caveat: seen at the events that moved the instance, its start included; timeouts have no source
-- and are passed over, and what a journey ignores is not seen.
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
