-- People who stay in a state for unusually long.
-- Grain: one row per open stay, not in a final state, that at the watermark is older than the age
-- by which nine in ten have left the state.
-- Caveat: that age is from the survival curve (see survival), which includes open stays. If the
-- curve does not reach it, nobody is stuck.
-- Reads: batches, states, survival
with watermarks as (
  select max(watermark) as watermark from batches
),
bounds as (
  select
    journey,
    version,
    track,
    state,
    min(age_ms) as p90_ms,
  from survival
  where share_inside <= 0.1
  group by journey, version, track, state
)
select
  state_id,
  states.journey,
  states.version,
  states.track,
  states.state,
  visit,
  profile_id,
  instance_id,
  entered_at,
  div((unix_micros(watermark) - unix_micros(entered_at)), 1000) as inside_ms,
  p90_ms,
from states
inner join bounds
  on bounds.journey = states.journey
  and bounds.version = states.version
  and bounds.track = states.track
  and bounds.state = states.state
cross join watermarks
where exited_at is null
  and not is_final
  and div((unix_micros(watermark) - unix_micros(entered_at)), 1000) > p90_ms
