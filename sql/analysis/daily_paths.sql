-- Whole paths by the day and source of their start, as counts that can be added up.
-- Grain: one row per UTC day, source, path and outcome, by journey, version and track.
-- Caveat: running instances count with their path so far. outcome is that of the final state in
-- which the path ends (see final_states), and null while the instance is running.
-- Reads: final_states, transitions
with ways as (
  select
    transitions.journey,
    transitions.version,
    instance_id,
    transitions.track,
    div(unix_micros(min(occurred_at)), 86400000000) as day_no,
    max(if(cause = 'start', source, null)) as source,
    string_agg(to_state, ' > ' order by seq) as path,
    max(outcome) as outcome,
  from transitions
  left join final_states
    on final_states.journey = transitions.journey
    and final_states.version = transitions.version
    and final_states.track = transitions.track
    and final_states.state = to_state
  group by transitions.journey, transitions.version, instance_id, transitions.track
)
select
  journey,
  version,
  track,
  date_from_unix_date(day_no) as day,
  source,
  path,
  outcome,
  count(*) as instance_count,
from ways
group by journey, version, track, day_no, source, path, outcome
