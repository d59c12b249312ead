-- How long stays last, and whether a second visit lasts longer than the first.
-- Grain: one row per state and visit, by journey, version and track.
-- Caveat: quantiles are nearest-rank and of completed stays; who is still inside at the watermark
-- is counted apart. Stays in a final state never complete.
-- Reads: states
with stays as (
  select
    journey,
    version,
    track,
    state,
    visit,
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
    visit,
    is_final,
    duration_ms,
    row_number() over (
      partition by journey, version, track, state, visit
      order by duration_ms nulls last
    ) as duration_rank,
    count(duration_ms) over (
      partition by journey, version, track, state, visit
    ) as completed_count,
  from stays
)
select
  journey,
  version,
  track,
  state,
  visit,
  is_final,
  count(duration_ms) as completed_count,
  min(if(2 * duration_rank >= completed_count, duration_ms, null)) as median_ms,
  min(if(10 * duration_rank >= 9 * completed_count, duration_ms, null)) as p90_ms,
  countif(duration_ms is null) as still_inside_count,
from ranked
group by journey, version, track, state, visit, is_final
