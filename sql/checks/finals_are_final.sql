-- A row means that a track moved on from a final state.
select
  state_id,
  journey,
  version,
  instance_id,
  track,
  state,
  exited_at,
from states
where is_final and exited_at is not null
