-- Transitions with a source each, for sums by source.
-- Grain: one row per transition.
-- Caveat: a timeout has no source of its own and takes that of the last event before it that moved
-- its instance.
-- Reads: transitions
select
  transition_id,
  journey,
  version,
  instance_id,
  track,
  seq,
  occurred_at,
  last_value(source ignore nulls) over (
    partition by journey, version, instance_id
    order by seq
    rows between unbounded preceding and current row
  ) as source,
  event_id,
  from_state,
  to_state,
  cause,
  dwell_ms,
  visit,
from transitions
