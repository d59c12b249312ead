-- Where people go from each state, and what takes them there.
-- Grain: one row per from_state, to_state and cause, by journey, version and track.
-- Caveat: probability is the share of all exits of from_state in that track, so the rows of one
-- from_state, timeouts and self-transitions included, sum to 1. Starts have no from_state.
-- Reads: transitions
with counted as (
  select
    journey,
    version,
    track,
    from_state,
    to_state,
    cause,
    count(*) as transition_count,
    count(distinct profile_id) as profile_count,
  from transitions
  group by journey, version, track, from_state, to_state, cause
)
select
  journey,
  version,
  track,
  from_state,
  to_state,
  cause,
  transition_count,
  profile_count,
  transition_count
    / sum(transition_count) over (partition by journey, version, track, from_state)
    as probability,
from counted
