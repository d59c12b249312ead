-- Declared outcomes of final states, for every version of each journey.
-- Grain: one row per final state and declaration.
-- Caveat: the latest declaration of a state counts (see final_states).
-- Reads: outcomes_log
select
  journey,
  version,
  track,
  state,
  outcome,
  recorded_at,
  recorded_by,
from outcomes_log
