-- A row means that two stays of one instance and track overlap or leave a gap: a stay does not end
-- at the instant at which the next one begins, or is still open while another follows.
with stays as (
  select
    states.journey,
    states.version,
    states.instance_id,
    states.track,
    states.state_id,
    entered_at,
    exited_at,
    lead(entered_at) over (
      partition by states.journey, states.version, states.instance_id, states.track
      order by seq
    ) as next_entered_at,
  from states
  inner join transitions
    on transitions.transition_id = states.state_id
)
select
  journey,
  version,
  instance_id,
  track,
  state_id,
  entered_at,
  exited_at,
  next_entered_at,
from stays
where (next_entered_at is null) <> (exited_at is null)
  or next_entered_at <> exited_at
