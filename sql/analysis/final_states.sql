-- The outcome of reaching each final state: success, failure or neutral.
-- Grain: one row per final state of each version of a journey.
-- Caveat: in a track that declares no outcome, every final state is a success; in a track that
-- declares some, the others are neutral. The latest declaration counts.
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
