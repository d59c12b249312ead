-- Outcomes of final states, of every version of each journey, as they were declared.
-- Grain: one row per final state and declaration.
-- Caveat: of one state the last declaration counts (see final_states).
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
