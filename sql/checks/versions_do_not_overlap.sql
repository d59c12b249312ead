-- A row means that two versions of one row were current at once, or that a version was superseded
-- before it was recorded, or without a batch and a reason.
with versions as (
  select
    'event_profiles' as view_name,
    event_id as row_id,
    recorded_at,
    recorded_by,
    superseded_at,
    superseded_by,
    superseded_because,
  from event_profile_versions
  union all
  select
    'sessions' as view_name,
    session_id as row_id,
    recorded_at,
    recorded_by,
    superseded_at,
    superseded_by,
    superseded_because,
  from session_versions
  union all
  select
    'identities' as view_name,
    concat(namespace, ':', value, ' ', profile_id) as row_id,
    recorded_at,
    recorded_by,
    superseded_at,
    superseded_by,
    superseded_because,
  from identity_versions
  union all
  select
    'identity_conflicts' as view_name,
    concat(kept, ' ', refused) as row_id,
    recorded_at,
    recorded_by,
    superseded_at,
    superseded_by,
    superseded_because,
  from identity_conflict_versions
  union all
  select
    'transitions' as view_name,
    cast(transition_id as string) as row_id,
    recorded_at,
    recorded_by,
    superseded_at,
    superseded_by,
    superseded_because,
  from transition_facts
  union all
  select
    'states' as view_name,
    cast(state_id as string) as row_id,
    recorded_at,
    recorded_by,
    superseded_at,
    superseded_by,
    superseded_because,
  from state_versions
  union all
  select
    'cycles' as view_name,
    cast(cycle_id as string) as row_id,
    recorded_at,
    recorded_by,
    superseded_at,
    superseded_by,
    superseded_because,
  from cycle_facts
  union all
  select
    'rejections' as view_name,
    concat(journey, ' ', cast(version as string), ' ', instance_id, ' ', event_id) as row_id,
    recorded_at,
    recorded_by,
    superseded_at,
    superseded_by,
    superseded_because,
  from rejection_facts
  union all
  select
    'funnel_attempts' as view_name,
    cast(attempt_id as string) as row_id,
    recorded_at,
    recorded_by,
    superseded_at,
    superseded_by,
    superseded_because,
  from funnel_attempt_versions
  union all
  select
    'funnel_attempt_steps' as view_name,
    concat(cast(attempt_id as string), ' ', cast(step_no as string)) as row_id,
    recorded_at,
    recorded_by,
    superseded_at,
    superseded_by,
    superseded_because,
  from funnel_attempt_step_versions
),
walked as (
  select
    view_name,
    row_id,
    recorded_at,
    recorded_by,
    superseded_at,
    superseded_by,
    superseded_because,
    lead(recorded_at) over (
      partition by view_name, row_id
      order by recorded_at
    ) as next_recorded_at,
  from versions
)
select
  view_name,
  row_id,
  recorded_at,
  recorded_by,
  superseded_at,
  superseded_by,
  superseded_because,
  next_recorded_at,
from walked
where superseded_at <= recorded_at
  or superseded_by <= recorded_by
  or (superseded_at is null) <> (superseded_by is null)
  or (superseded_at is null) <> (superseded_because is null)
  or superseded_because not in ('progress', 'late_event', 'identity', 'rebuilt')
  or next_recorded_at < superseded_at
  or (next_recorded_at is not null and superseded_at is null)
