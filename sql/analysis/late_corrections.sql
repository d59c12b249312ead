-- Rows that were corrected later: which, when, why, and how late.
-- Grain: one row per superseded version of a row, except versions superseded by progress.
-- Caveat: row_id is the key of the view as text; happened_at is the event time of the row.
-- how_late_ms is the distance of happened_at behind the watermark of the correcting batch;
-- believed_ms is how long the version was current, by the clock.
-- Reads: batches, cycle_facts, event_profile_versions, events, funnel_attempt_versions
-- Reads: identity_conflict_versions, identity_versions, rejection_facts, session_versions
-- Reads: state_versions, transition_facts
with superseded as (
  select
    'transitions' as view_name,
    cast(transition_id as string) as row_id,
    journey,
    version,
    profile_id,
    occurred_at as happened_at,
    recorded_at,
    superseded_at,
    superseded_because,
    superseded_by,
  from transition_facts
  union all
  select
    'states' as view_name,
    cast(state_id as string) as row_id,
    journey,
    version,
    profile_id,
    entered_at as happened_at,
    recorded_at,
    superseded_at,
    superseded_because,
    superseded_by,
  from state_versions
  union all
  select
    'cycles' as view_name,
    cast(cycle_id as string) as row_id,
    journey,
    version,
    profile_id,
    ended_at as happened_at,
    recorded_at,
    superseded_at,
    superseded_because,
    superseded_by,
  from cycle_facts
  union all
  select
    'rejections' as view_name,
    event_id as row_id,
    journey,
    version,
    profile_id,
    occurred_at as happened_at,
    recorded_at,
    superseded_at,
    superseded_because,
    superseded_by,
  from rejection_facts
  union all
  select
    'funnel_attempts' as view_name,
    cast(attempt_id as string) as row_id,
    journey,
    version,
    profile_id,
    entered_at as happened_at,
    recorded_at,
    superseded_at,
    superseded_because,
    superseded_by,
  from funnel_attempt_versions
  union all
  select
    'sessions' as view_name,
    session_id as row_id,
    cast(null as string) as journey,
    cast(null as int64) as version,
    profile_id,
    started_at as happened_at,
    recorded_at,
    superseded_at,
    superseded_because,
    superseded_by,
  from session_versions
  union all
  select
    'event_profiles' as view_name,
    event_profile_versions.event_id as row_id,
    cast(null as string) as journey,
    cast(null as int64) as version,
    profile_id,
    events.occurred_at as happened_at,
    event_profile_versions.recorded_at,
    superseded_at,
    superseded_because,
    superseded_by,
  from event_profile_versions
  inner join events
    on events.event_id = event_profile_versions.event_id
  where superseded_at is not null
  union all
  select
    'identities' as view_name,
    concat(namespace, ':', value) as row_id,
    cast(null as string) as journey,
    cast(null as int64) as version,
    profile_id,
    first_seen_at as happened_at,
    recorded_at,
    superseded_at,
    superseded_because,
    superseded_by,
  from identity_versions
  union all
  select
    'identity_conflicts' as view_name,
    concat(kept, ' ', refused) as row_id,
    cast(null as string) as journey,
    cast(null as int64) as version,
    cast(null as string) as profile_id,
    occurred_at as happened_at,
    recorded_at,
    superseded_at,
    superseded_because,
    superseded_by,
  from identity_conflict_versions
)
select
  view_name,
  row_id,
  journey,
  version,
  profile_id,
  happened_at,
  superseded.recorded_at,
  superseded_at,
  superseded_because,
  div((unix_micros(watermark) - unix_micros(happened_at)), 1000) as how_late_ms,
  div((unix_micros(superseded_at) - unix_micros(superseded.recorded_at)), 1000) as believed_ms,
  batch,
from superseded
inner join batches
  on batches.batch = superseded.superseded_by
where superseded_because <> 'progress'
