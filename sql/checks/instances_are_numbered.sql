-- A row means that an instance has two numbers or two profiles, or does not start with the entry of
-- an initial state.
with instances as (
  select
    journey,
    version,
    instance_id,
    min(instance_no) as instance_no,
    max(instance_no) as other_instance_no,
    min(profile_id) as profile_id,
    max(profile_id) as other_profile_id,
    countif(seq = 1 and cause = 'start') as start_count,
  from transitions
  group by journey, version, instance_id
)
select
  journey,
  version,
  instance_id,
  instance_no,
  other_instance_no,
  profile_id,
  other_profile_id,
  start_count,
from instances
where instance_no <> other_instance_no
  or profile_id <> other_profile_id
  or instance_no < 1
  or start_count <> 1
