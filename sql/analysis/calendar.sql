-- Days, so that days without events have a row too.
-- Grain: one row per UTC day, from the day of the first accepted event to that of the watermark.
-- Caveat: week is the Monday on which a day's week begins; day_no counts days since 1970-01-01.
-- Reads: batches, events
with digits as (
  select 0 as digit
  union all select 1
  union all select 2
  union all select 3
  union all select 4
  union all select 5
  union all select 6
  union all select 7
  union all select 8
  union all select 9
),
numbers as (
  select
    ones.digit
      + 10 * tens.digit
      + 100 * hundreds.digit
      + 1000 * thousands.digit
      + 10000 * myriads.digit as number,
  from digits as ones
  cross join digits as tens
  cross join digits as hundreds
  cross join digits as thousands
  cross join digits as myriads
),
first_days as (
  select div(unix_micros(min(occurred_at)), 86400000000) as first_day_no from events
),
last_days as (
  select div(unix_micros(max(watermark)), 86400000000) as last_day_no from batches
),
days as (
  select first_day_no + number as day_no
  from numbers
  cross join first_days
  cross join last_days
  where first_day_no + number <= last_day_no
)
select
  date_from_unix_date(day_no) as day,
  date_from_unix_date(day_no - mod(day_no + 3, 7)) as week,
  day_no,
  div((day_no + 3), 7) as week_no,
from days
