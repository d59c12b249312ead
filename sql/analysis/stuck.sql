-- Who stands in a state for unusually long.
-- Grain: one row per open stay, not in a final state, that at the watermark has lasted longer than
-- nine in ten of the completed stays in its state.
-- Caveat: a state nobody has left yet has no such bound, and nobody is stuck in it.
-- Reads: batches, states
with watermarks as (
  select max(watermark) as watermark from batches
),
stays as (
  select
    state_id,
    journey,
    version,
    track,
    state,
    visit,
    profile_id,
    instance_id,
    entered_at,
    is_final,
    div((unix_micros(exited_at) - unix_micros(entered_at)), 1000) as duration_ms,
  from states
),
ranked as (
  select
    journey,
    version,
    track,
    state,
    duration_ms,
    row_number() over (
      partition by journey, version, track, state
      order by duration_ms
    ) as duration_rank,
    count(*) over (partition by journey, version, track, state) as completed_count,
  from stays
  where duration_ms is not null
),
bounds as (
  select
    journey,
    version,
    track,
    state,
    min(if(10 * duration_rank >= 9 * completed_count, duration_ms, null)) as p90_ms,
  from ranked
  group by journey, version, track, state
)
select
  state_id,
  stays.journey,
  stays.version,
  stays.track,
  stays.state,
  visit,
  profile_id,
  instance_id,
  entered_at,
  div((unix_micros(watermark) - unix_micros(entered_at)), 1000) as inside_ms,
  p90_ms,
from stays
inner join bounds
  on bounds.journey = stays.journey
  and bounds.version = stays.version
  and bounds.track = stays.track
  and bounds.state = stays.state
cross join watermarks
where duration_ms is null
  and not is_final
  and div((unix_micros(watermark) - unix_micros(entered_at)), 1000) > p90_ms
