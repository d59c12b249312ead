-- Transitions by day and source, as counts that can be added up.
-- Grain: one row per UTC day, source, from_state, to_state and cause, by journey, version and track.
-- Caveat: source is as in sourced_transitions. Starts have no from_state. Transitions into a state
-- are its entries, those out of it its exits.
-- Reads: sourced_transitions
with moves as (
  select
    journey,
    version,
    track,
    div(unix_micros(occurred_at), 86400000000) as day_no,
    source,
    from_state,
    to_state,
    cause,
  from sourced_transitions
)
select
  journey,
  version,
  track,
  date_from_unix_date(day_no) as day,
  source,
  from_state,
  to_state,
  cause,
  count(*) as transition_count,
from moves
group by journey, version, track, day_no, source, from_state, to_state, cause
