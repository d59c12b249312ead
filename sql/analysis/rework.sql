-- States that are entered more than once, and from where.
-- Grain: one row per state, by journey, version and track.
-- Caveat: a self-loop enters a state from itself, a repeat through other states; rework_rate is
-- their share of all entries. Instances and profiles are all that were in the state; reworked ones
-- entered it more than once.
-- Reads: transitions
select
  journey,
  version,
  track,
  to_state as state,
  count(*) as entry_count,
  countif(coalesce(from_state, '') = to_state) as self_loop_count,
  countif(visit > 1 and from_state <> to_state) as repeat_count,
  countif(visit = 1) as instance_count,
  countif(visit = 2) as reworked_instance_count,
  count(distinct if(visit = 1, profile_id, null)) as profile_count,
  count(distinct if(visit = 2, profile_id, null)) as reworked_profile_count,
  countif(visit > 1) / count(*) as rework_rate,
from transitions
group by journey, version, track, to_state
