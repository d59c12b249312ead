-- A row means that a transition's visit is not the number of entries of its state so far in that
-- instance and track.
with numbered as (
  select
    transition_id,
    to_state,
    visit,
    row_number() over (
      partition by journey, version, instance_id, track, to_state
      order by seq
    ) as entry_no,
  from transitions
)
select
  transition_id,
  to_state,
  visit,
  entry_no,
from numbered
where visit <> entry_no
