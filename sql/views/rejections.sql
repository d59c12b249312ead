-- Known events that a running instance neither took nor ignored.
-- Grain: one row per event and instance.
-- Caveat: state has the states of all tracks, joined by |.
-- Reads: live_release, rejection_now
select
  event_id,
  event_name,
  rejection_now.journey,
  rejection_now.version,
  instance_id,
  profile_id,
  state,
  reason,
  occurred_at,
  session_id,
from rejection_now
inner join live_release
  on live_release.journey = rejection_now.journey
  and live_release.version = rejection_now.version
