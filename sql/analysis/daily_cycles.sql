-- Cycles by the day and source that completed them, as counts that can be added up.
-- Grain: one row per UTC day, source and path, by journey, version and track.
-- Caveat: source is that of the completing transition, as in sourced_transitions.
-- Reads: cycles, sourced_transitions
with rounds as (
  select
    cycles.journey,
    cycles.version,
    cycles.track,
    div(unix_micros(ended_at), 86400000000) as day_no,
    source,
    path,
    duration_ms,
  from cycles
  inner join sourced_transitions on transition_id = closed_by
)
select
  journey,
  version,
  track,
  date_from_unix_date(day_no) as day,
  source,
  path,
  count(*) as cycle_count,
  cast(sum(duration_ms) as int64) as total_duration_ms,
from rounds
group by journey, version, track, day_no, source, path
