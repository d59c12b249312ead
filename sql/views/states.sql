-- Stays in states, for the live version of each journey.
-- Grain: one row per stay.
-- Caveat: exited_at is null while the instance is in the state.
-- Reads: live_release, state_now
with starts as (
  select distinct
    instance_group,
    instance_started_at,
    instance_start_ordinal,
    instance_start_event_id,
  from state_now
  where entered_at = instance_started_at and visit = 1
),
instances as (
  select
    instance_group,
    instance_start_event_id,
    row_number() over (
      partition by instance_group
      order by instance_started_at, instance_start_ordinal, instance_start_event_id
    ) as instance_no,
  from starts
)
select
  state_id,
  state_now.journey,
  state_now.version,
  instance_id,
  instance_no,
  profile_id,
  track,
  state,
  visit,
  entered_at,
  exited_at,
  exited_by,
  is_final,
from state_now
inner join live_release
  on live_release.journey = state_now.journey
  and live_release.version = state_now.version
inner join instances
  on instances.instance_group = state_now.instance_group
  and instances.instance_start_event_id = state_now.instance_start_event_id
