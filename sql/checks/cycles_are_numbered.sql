-- A row means that a cycle's number is not its position in the instance and track, or that two
-- cycles were closed by one transition.
with numbered as (
  select
    cycle_id,
    cycles.journey,
    cycles.version,
    cycles.instance_id,
    cycles.track,
    cycle_no,
    row_number() over (
      partition by cycles.journey, cycles.version, cycles.instance_id, cycles.track
      order by seq
    ) as place,
    count(*) over (partition by closed_by) as closed_count,
  from cycles
  inner join transitions
    on transitions.transition_id = cycles.closed_by
)
select
  cycle_id,
  journey,
  version,
  instance_id,
  track,
  cycle_no,
  place,
  closed_count,
from numbered
where cycle_no <> place
  or closed_count > 1
