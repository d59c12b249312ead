-- Steps and options of the live version of each funnel, with or without attempts.
-- Grain: one row per funnel and step.
-- Caveat: journey is null if the steps are events. options is JSON with every default filled in.
-- within_ms is the window, null without one. In any order no step has a fixed position, and step is
-- null.
-- Reads: funnel_definitions_log, live_funnel
select
  funnel_definitions_log.funnel,
  funnel_definitions_log.journey,
  funnel_definitions_log.version,
  step_no,
  step,
  is_optional,
  count_by,
  within_ms,
  options,
  recorded_at,
from funnel_definitions_log
inner join live_funnel
  on live_funnel.funnel = funnel_definitions_log.funnel
  and live_funnel.owner = coalesce(funnel_definitions_log.journey, '')
  and live_funnel.version = funnel_definitions_log.version
