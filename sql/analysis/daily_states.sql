-- How many instances were in each state at the end of each day.
-- Grain: one row per UTC day and state, by journey, version and track. A state has a row for every
-- day from its first entry to the day of the watermark.
-- Caveat: the last day ends at the watermark. Instances in a final state stay counted there.
-- Reads: calendar, states
with moves as (
  select
    journey,
    version,
    track,
    state,
    div(unix_micros(entered_at), 86400000000) as day_no,
    1 as step,
  from states
  union all
  select
    journey,
    version,
    track,
    state,
    div(unix_micros(exited_at), 86400000000) as day_no,
    -1 as step,
  from states
  where exited_at is not null
),
changes as (
  select
    journey,
    version,
    track,
    state,
    day_no,
    sum(step) as change,
    countif(step = 1) as entered_count,
    countif(step = -1) as exited_count,
  from moves
  group by journey, version, track, state, day_no
),
state_days as (
  select
    journey,
    version,
    track,
    state,
    calendar.day_no,
    calendar.day,
  from (
    select
      journey,
      version,
      track,
      state,
      min(day_no) as first_day_no,
    from changes
    group by journey, version, track, state
  ) as first_days
  cross join calendar
  where calendar.day_no >= first_day_no
)
select
  day,
  state_days.journey,
  state_days.version,
  state_days.track,
  state_days.state,
  coalesce(entered_count, 0) as entered_count,
  coalesce(exited_count, 0) as exited_count,
  cast(
    sum(coalesce(change, 0)) over (
      partition by
        state_days.journey, state_days.version, state_days.track, state_days.state
      order by state_days.day_no
    ) as int64
  ) as instance_count,
from state_days
left join changes
  on changes.journey = state_days.journey
  and changes.version = state_days.version
  and changes.track = state_days.track
  and changes.state = state_days.state
  and changes.day_no = state_days.day_no
