-- Returns to a state that was left, found by loop erasure.
-- Grain: one row per completed cycle.
-- Caveat: cycle_no counts within an instance and track.
-- Reads: cycle_now, live_release
select
  cycle_id,
  cycle_now.journey,
  cycle_now.version,
  instance_id,
  profile_id,
  track,
  cycle_no,
  anchor,
  path,
  length,
  started_at,
  ended_at,
  duration_ms,
  closed_by,
from cycle_now
inner join live_release
  on live_release.journey = cycle_now.journey
  and live_release.version = cycle_now.version
