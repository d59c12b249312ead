-- A row means that a rejection names an instance that had not started, an event that moved that
-- instance, or an event that was not accepted.
with starts as (
  select
    journey,
    version,
    instance_id,
    min(occurred_at) as started_at,
  from transitions
  group by journey, version, instance_id
),
moves as (
  select distinct
    journey,
    version,
    instance_id,
    event_id,
  from transitions
  where cause = 'event'
)
select
  rejections.event_id,
  rejections.journey,
  rejections.version,
  rejections.instance_id,
  rejections.occurred_at,
  started_at,
from rejections
left join starts
  on starts.journey = rejections.journey
  and starts.version = rejections.version
  and starts.instance_id = rejections.instance_id
left join moves
  on moves.journey = rejections.journey
  and moves.version = rejections.version
  and moves.instance_id = rejections.instance_id
  and moves.event_id = rejections.event_id
left join event_profiles
  on event_profiles.event_id = rejections.event_id
where started_at is null
  or started_at > rejections.occurred_at
  or moves.event_id is not null
  or event_profiles.event_id is null
  or event_profiles.profile_id <> rejections.profile_id
  or event_profiles.session_id <> rejections.session_id
