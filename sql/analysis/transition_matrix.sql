-- Where people go from each state, and what causes it.
-- Grain: one row per from_state, to_state and cause, by journey, version and track.
-- Caveat: probability is the share of all exits of from_state in that track, so the rows of one
-- from_state, including timeouts and self-transitions, sum to 1. share_of_stays is of all stays in
-- from_state; the rows sum to 1 minus the share still inside. Starts have no from_state and no
-- share of stays.
-- Reads: states, transitions
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
),
stays as (
  select
    journey,
    version,
    track,
    state,
    count(*) as stay_count,
  from states
  group by journey, version, track, state
)
select
  counted.journey,
  counted.version,
  counted.track,
  from_state,
  to_state,
  cause,
  transition_count,
  profile_count,
  transition_count
    / sum(transition_count) over (
      partition by counted.journey, counted.version, counted.track, from_state
    ) as probability,
  transition_count / stay_count as share_of_stays,
from counted
left join stays
  on stays.journey = counted.journey
  and stays.version = counted.version
  and stays.track = counted.track
  and stays.state = from_state
