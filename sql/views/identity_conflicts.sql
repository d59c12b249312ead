-- Links that were refused, because both sides hold a value of one exclusive namespace.
-- Grain: one row per refused pair, at its first refusal.
-- Caveat: a later alias or unlink can take a refusal away.
-- Reads: identity_conflict_now
select
  event_id,
  kept,
  refused,
  occurred_at,
from identity_conflict_now
