-- A row means that a cycle was not closed by an entry of its anchor, or does not begin with the
-- previous entry of the anchor.
select
  cycle_id,
  anchor,
  path,
  closing.to_state,
  closing.visit,
  started_at,
  opening.occurred_at as opened_at,
  ended_at,
  closing.occurred_at as closed_at,
from cycles
left join transitions as closing
  on closing.transition_id = cycles.closed_by
left join transitions as opening
  on opening.journey = closing.journey
  and opening.version = closing.version
  and opening.instance_id = closing.instance_id
  and opening.track = closing.track
  and opening.to_state = closing.to_state
  and opening.visit = closing.visit - 1
where closing.transition_id is null
  or opening.transition_id is null
  or closing.instance_id <> cycles.instance_id
  or closing.track <> cycles.track
  or closing.to_state <> anchor
  or closing.occurred_at <> ended_at
  or opening.occurred_at <> started_at
  or duration_ms <> div((unix_micros(ended_at) - unix_micros(started_at)), 1000)
  or length > closing.seq - opening.seq
  or strpos(path, concat(anchor, ' > ')) <> 1
