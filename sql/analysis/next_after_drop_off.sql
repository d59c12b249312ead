-- What an instance does next after a drop-off.
-- Grain: one row per kind of drop-off and what came next, by journey, version and track.
-- Caveat: an instance drops off when a timeout moves it (drop_off 'timed_out'), when it returns to
-- a state on its path and so closes a cycle ('went_back'), or when an event moves it to a failed
-- final state ('failed'). Reaching a successful or neutral final state is not a drop-off (see
-- final_states). Next is the transition out of the state reached, in the same instance and track;
-- next_state is null until it happens. share is of all drop-offs of the same kind.
-- Reads: cycles, final_states, transitions
with moves as (
  select
    transition_id,
    journey,
    version,
    profile_id,
    track,
    cause,
    from_state,
    to_state,
    lead(cause) over onward as next_cause,
    lead(event_name) over onward as next_event,
    lead(to_state) over onward as next_state,
    lead(dwell_ms) over onward as next_after_ms,
  from transitions
  window onward as (partition by journey, version, instance_id, track order by seq)
),
ways_on as (
  select
    moves.journey,
    moves.version,
    profile_id,
    moves.track,
    if(
      cause = 'timeout', 'timed_out', if(outcome = 'failure', 'failed', 'went_back')
    ) as drop_off,
    from_state,
    to_state,
    next_cause,
    next_event,
    next_state,
    next_after_ms,
  from moves
  left join (
    select closed_by from cycles
  ) as returns
    on returns.closed_by = moves.transition_id
  left join final_states
    on final_states.journey = moves.journey
    and final_states.version = moves.version
    and final_states.track = moves.track
    and final_states.state = moves.to_state
  where coalesce(outcome, 'failure') = 'failure'
    and (cause = 'timeout' or closed_by is not null or outcome = 'failure')
),
ranked as (
  select
    journey,
    version,
    profile_id,
    track,
    drop_off,
    from_state,
    to_state,
    next_cause,
    next_event,
    next_state,
    next_after_ms,
    row_number() over (
      partition by
        journey, version, track, drop_off, from_state, to_state,
        next_cause, next_event, next_state
      order by next_after_ms nulls last
    ) as time_rank,
    count(*) over (
      partition by
        journey, version, track, drop_off, from_state, to_state,
        next_cause, next_event, next_state
    ) as time_count,
  from ways_on
),
counted as (
  select
    journey,
    version,
    track,
    drop_off,
    from_state,
    to_state,
    next_cause,
    next_event,
    next_state,
    count(*) as drop_off_count,
    count(distinct profile_id) as profile_count,
    min(if(2 * time_rank >= time_count, next_after_ms, null)) as median_next_after_ms,
  from ranked
  group by
    journey, version, track, drop_off, from_state, to_state, next_cause, next_event, next_state
)
select
  journey,
  version,
  track,
  drop_off,
  from_state,
  to_state,
  next_cause,
  next_event,
  next_state,
  drop_off_count,
  profile_count,
  drop_off_count / sum(drop_off_count) over (
    partition by journey, version, track, drop_off, from_state, to_state
  ) as share,
  median_next_after_ms,
from counted
