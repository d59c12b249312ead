-- Who comes back, by the week of first activity.
-- Grain: one row per cohort week (its Monday) and week since, from 0 to the week of the watermark.
-- Caveat: profiles are as resolved now, including anonymous ones. n_day_rate is the share active in
-- that week, rolling_rate in that week or a later one. The last week is not over yet.
-- Reads: calendar, sessions
with activity as (
  select
    profile_id,
    div((div(unix_micros(started_at), 86400000000) + 3), 7) as week_no,
  from sessions
  union distinct
  select
    profile_id,
    div((div(unix_micros(ended_at), 86400000000) + 3), 7) as week_no,
  from sessions
),
lives as (
  select
    profile_id,
    week_no,
    min(week_no) over (partition by profile_id) as first_week_no,
    max(week_no) over (partition by profile_id) as last_week_no,
  from activity
),
weeks as (
  select distinct
    week,
    week_no,
  from calendar
),
active as (
  select
    first_week_no,
    week_no,
    count(*) as active_count,
    countif(week_no = last_week_no) as last_seen_count,
  from lives
  group by first_week_no, week_no
),
grid as (
  select
    cohorts.week as cohort_week,
    cohorts.week_no as first_week_no,
    weeks.week_no,
    sizes.active_count as profile_count,
  from weeks as cohorts
  inner join active as sizes
    on sizes.first_week_no = cohorts.week_no
    and sizes.week_no = cohorts.week_no
  cross join weeks
  where weeks.week_no >= cohorts.week_no
),
filled as (
  select
    cohort_week,
    grid.first_week_no,
    grid.week_no,
    profile_count,
    coalesce(active_count, 0) as active_count,
    cast(
      sum(coalesce(last_seen_count, 0)) over (
        partition by grid.first_week_no
        order by grid.week_no desc
      ) as int64
    ) as rolling_count,
  from grid
  left join active
    on active.first_week_no = grid.first_week_no
    and active.week_no = grid.week_no
)
select
  cohort_week,
  week_no - first_week_no as week_no,
  profile_count,
  active_count,
  rolling_count,
  active_count / profile_count as n_day_rate,
  rolling_count / profile_count as rolling_rate,
from filled
