-- What it means to come to each final state: success, failure or neither.
-- Grain: one row per final state of each version of a journey.
-- Caveat: in a track that declares no outcome every final state is a success; in one that declares
-- some, the others are neutral. The outcome is the one declared last.
-- Reads: outcomes
select
  journey,
  version,
  track,
  state,
  outcome,
from outcomes
qualify row_number() over (
  partition by journey, version, track, state order by recorded_at desc
) = 1
