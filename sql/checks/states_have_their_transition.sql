-- A row means that a current stay and the transition that entered it disagree, or that one of the
-- two is missing.
select
  coalesce(states.state_id, transitions.transition_id) as state_id,
  states.state,
  transitions.to_state,
  states.entered_at,
  transitions.occurred_at,
from states
full outer join transitions
  on transitions.transition_id = states.state_id
where states.state_id is null
  or transitions.transition_id is null
  or states.state <> transitions.to_state
  or states.entered_at <> transitions.occurred_at
  or states.visit <> transitions.visit
  or states.instance_no <> transitions.instance_no
  or states.profile_id <> transitions.profile_id
  or states.instance_id <> transitions.instance_id
  or states.track <> transitions.track
  or states.journey <> transitions.journey
  or states.version <> transitions.version
