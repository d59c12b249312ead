-- What an instance does next after it has left the way.
-- Grain: one row per way of leaving and what came next, by journey, version and track.
-- Caveat: it leaves the way where a timeout moves it (drop_off 'timed_out'), or where it goes back
-- to a state on its way and so closes a cycle ('went_back'). What came next is the transition out
-- of where it then stood, in the same instance and track; next_state is null while there is none.
-- share is of all that left in the same way.
with drop_offs as (
  select
    transition_id,
    journey,
    version,
    profile_id,
    track,
    if(cause = 'timeout', 'timed_out', 'went_back') as drop_off,
    from_state,
    to_state,
  from transitions
  left join (
    select closed_by from cycles
  ) as returns
    on returns.closed_by = transitions.transition_id
  where cause = 'timeout' or closed_by is not null
),
ways_on as (
  select
    drop_offs.journey,
    drop_offs.version,
    drop_offs.profile_id,
    drop_offs.track,
    drop_off,
    drop_offs.from_state,
    drop_offs.to_state,
    exits.cause as next_cause,
    exits.event_name as next_event,
    exits.to_state as next_state,
    exits.dwell_ms as next_after_ms,
  from drop_offs
  inner join states
    on states.state_id = drop_offs.transition_id
  left join transitions as exits
    on exits.transition_id = states.exited_by
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
