-- A row means that a stay's exited_by is not the next transition of its track, or that this
-- transition does not leave the stay's state when the stay ends.
with moves as (
  select
    transition_id,
    from_state,
    occurred_at,
    lead(transition_id) over way as next_id,
    lead(from_state) over way as next_from_state,
    lead(occurred_at) over way as next_at,
    lead(dwell_ms) over way as next_dwell_ms,
  from transitions
  window way as (partition by journey, version, instance_id, track order by seq)
)
select
  state_id,
  state,
  exited_at,
  exited_by,
  next_id,
  next_from_state,
  next_at,
from states
inner join moves
  on moves.transition_id = states.state_id
where (exited_by is null) <> (next_id is null)
  or exited_by <> next_id
  or state <> next_from_state
  or exited_at <> next_at
  or next_dwell_ms <> div((unix_micros(exited_at) - unix_micros(entered_at)), 1000)
