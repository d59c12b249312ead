-- Links that were refused because both sides have a value of the same exclusive namespace.
-- Grain: one row per refused pair, at its first refusal.
-- Caveat: a later alias or unlink can remove a refusal.
-- Reads: identity_conflict_now
select
  event_id,
  kept,
  refused,
  occurred_at,
from identity_conflict_now
