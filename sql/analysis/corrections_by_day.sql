-- Which days' numbers changed after the day was over, by how much, and why.
-- Grain: one row per UTC day that a batch changed, view, journey and version, and batch.
-- Caveat: a day is over once the watermark has passed its end; earlier rows are not changes. Added
-- minus removed is the change of the day's count in that view. Reasons are those of the removed
-- rows; rows that were only added came with late events. Sessions and funnel attempts count on the
-- day they start.
-- Reads: batches, cycle_facts, funnel_attempt_versions, rejection_facts, session_versions
-- Reads: transition_facts
with spans as (
  select
    batch,
    recorded_at,
    lag(watermark) over (order by batch) as watermark_before,
  from batches
),
versions as (
  select
    'transitions' as view_name,
    journey,
    version,
    occurred_at as happened_at,
    recorded_by,
    superseded_by,
    superseded_because,
    cast(null as string) as replaced_because,
  from transition_facts
  union all
  select
    'cycles' as view_name,
    journey,
    version,
    ended_at as happened_at,
    recorded_by,
    superseded_by,
    superseded_because,
    cast(null as string) as replaced_because,
  from cycle_facts
  union all
  select
    'rejections' as view_name,
    journey,
    version,
    occurred_at as happened_at,
    recorded_by,
    superseded_by,
    superseded_because,
    cast(null as string) as replaced_because,
  from rejection_facts
  union all
  select
    'sessions' as view_name,
    cast(null as string) as journey,
    cast(null as int64) as version,
    started_at as happened_at,
    recorded_by,
    superseded_by,
    superseded_because,
    lag(superseded_because) over (
      partition by session_id
      order by recorded_by
    ) as replaced_because,
  from session_versions
  union all
  select
    'funnel_attempts' as view_name,
    journey,
    version,
    entered_at as happened_at,
    recorded_by,
    superseded_by,
    superseded_because,
    lag(superseded_because) over (
      partition by attempt_id
      order by recorded_by
    ) as replaced_because,
  from funnel_attempt_versions
),
changes as (
  select
    view_name,
    journey,
    version,
    happened_at,
    recorded_by as batch,
    1 as added,
    0 as removed,
    cast(null as string) as because,
  from versions
  where replaced_because is null or replaced_because <> 'progress'
  union all
  select
    view_name,
    journey,
    version,
    happened_at,
    superseded_by as batch,
    0 as added,
    1 as removed,
    superseded_because as because,
  from versions
  where superseded_because <> 'progress'
),
late as (
  select
    view_name,
    journey,
    version,
    div(unix_micros(happened_at), 86400000000) as day_no,
    changes.batch,
    recorded_at,
    added,
    removed,
    because,
  from changes
  inner join spans
    on spans.batch = changes.batch
  where div(unix_micros(happened_at), 86400000000)
    < div(unix_micros(watermark_before), 86400000000)
)
select
  date_from_unix_date(day_no) as day,
  view_name,
  journey,
  version,
  batch,
  recorded_at,
  cast(sum(added) as int64) as added_count,
  cast(sum(removed) as int64) as removed_count,
  cast(sum(added) - sum(removed) as int64) as net_change,
  countif(coalesce(because, '') = 'late_event') as late_event_count,
  countif(coalesce(because, '') = 'identity') as identity_count,
  countif(coalesce(because, '') = 'rebuilt') as rebuilt_count,
from late
group by day_no, view_name, journey, version, batch, recorded_at
