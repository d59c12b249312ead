-- A row means that the transitions of an instance are not numbered 1, 2, 3 … in time order, or that
-- one does not leave the state that the previous one in its track entered.
with numbered as (
  select
    transition_id,
    instance_id,
    seq,
    cause,
    from_state,
    occurred_at,
    row_number() over (
      partition by journey, version, instance_id
      order by seq
    ) as place,
    lag(occurred_at) over (
      partition by journey, version, instance_id
      order by seq
    ) as previous_at,
    lag(to_state) over (
      partition by journey, version, instance_id, track
      order by seq
    ) as previous_state,
  from transitions
)
select
  transition_id,
  instance_id,
  seq,
  place,
  cause,
  from_state,
  previous_state,
  occurred_at,
  previous_at,
from numbered
where seq <> place
  or occurred_at < previous_at
  or (from_state is null) <> (previous_state is null)
  or from_state <> previous_state
  or (from_state is null) <> (cause = 'start')
