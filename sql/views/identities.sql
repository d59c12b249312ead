-- Identifiers and their profiles.
-- Grain: one row per identifier and profile.
-- Caveat: a person identifier has one row, a device identifier one per profile of its events.
-- Reads: identity_now
select
  namespace,
  value,
  profile_id,
  first_seen_at,
  last_seen_at,
  event_count,
from identity_now
