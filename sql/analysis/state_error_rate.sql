-- How often a journey rejects events.
-- Grain: one row per UTC day and reason, by journey and version, for days with attempted events.
-- Caveat: attempted counts the events that moved an instance or were rejected for any reason, so
-- that the rates of a day's reasons add up. Ignored events are not counted.
-- Reads: rejections, transitions
with moved as (
  select
    journey,
    version,
    div(unix_micros(occurred_at), 86400000000) as day_no,
    count(distinct event_id) as moved_count,
  from transitions
  where cause = 'event'
  group by journey, version, day_no
),
refused as (
  select
    journey,
    version,
    div(unix_micros(occurred_at), 86400000000) as day_no,
    countif(reason = 'guard_failed') as guard_failed_count,
    countif(reason = 'not_accepted') as not_accepted_count,
  from rejections
  group by journey, version, day_no
),
asked as (
  select
    journey,
    version,
    day_no,
    cast(sum(moved_count) as int64) as moved_count,
    cast(sum(guard_failed_count) as int64) as guard_failed_count,
    cast(sum(not_accepted_count) as int64) as not_accepted_count,
  from (
    select
      journey,
      version,
      day_no,
      moved_count,
      0 as guard_failed_count,
      0 as not_accepted_count,
    from moved
    union all
    select
      journey,
      version,
      day_no,
      0 as moved_count,
      guard_failed_count,
      not_accepted_count,
    from refused
  ) as parts
  group by journey, version, day_no
),
reasons as (
  select 'guard_failed' as reason
  union all
  select 'not_accepted' as reason
)
select
  journey,
  version,
  date_from_unix_date(day_no) as day,
  reason,
  if(reason = 'guard_failed', guard_failed_count, not_accepted_count) as rejected_count,
  moved_count + guard_failed_count + not_accepted_count as attempted_count,
  if(reason = 'guard_failed', guard_failed_count, not_accepted_count)
    / (moved_count + guard_failed_count + not_accepted_count) as error_rate,
from asked
cross join reasons
