-- Stays in states, of the live version of each journey.
-- Grain: one row per stay.
-- Caveat: exited_at is null while the instance is in the state.
select
  state_id,
  state_now.journey,
  state_now.version,
  instance_id,
  dense_rank() over (
    partition by instance_group
    order by instance_started_at, instance_start_ordinal, instance_start_event_id
  ) as instance_no,
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
