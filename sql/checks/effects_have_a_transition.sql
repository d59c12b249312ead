-- A row means that an effect names a transition that was never recorded, or was retracted without
-- having been due.
with recorded as (
  select distinct transition_id from transition_facts
),
sent as (
  select distinct effect_id from effects where kind <> 'retraction'
)
select
  effects.effect_id,
  effects.kind,
  effects.type,
  effects.transition_id,
from effects
left join recorded
  on recorded.transition_id = effects.transition_id
left join sent
  on sent.effect_id = effects.effect_id
where recorded.transition_id is null
  or sent.effect_id is null
