-- The units that funnels count: attempts, profiles, sessions or instances, by the funnel's count.
-- Grain: one row per funnel and unit.
-- Caveat: a unit with several attempts is counted by one of them: the first that converted,
-- otherwise the first that is still pending, otherwise the first that reached the deepest step.
-- deepest_step is over all of them. A unit is matured if that attempt entered at least one window
-- before the watermark; is_matured is null for a funnel without a window.
-- Reads: batches, funnel_attempt_units
with watermarks as (
  select max(watermark) as watermark from batches
),
ranked as (
  select
    funnel,
    journey,
    version,
    count_by,
    unit,
    attempt_id,
    profile_id,
    source,
    entered_at,
    event_id,
    max(deepest_step) over (partition by funnel, journey, unit) as deepest_step,
    outcome,
    ended_because,
    ended_at,
    converted_at,
    time_to_convert_ms,
    within_ms,
    options,
    row_number() over (
      partition by funnel, journey, unit
      order by
        if(outcome = 'converted', 0, if(outcome = 'pending', 1, 2)),
        if(outcome = 'dropped', -deepest_step, 0),
        entered_at,
        attempt_no
    ) as rank_in_unit,
    count(attempt_id) over (partition by funnel, journey, unit) as attempt_count,
  from funnel_attempt_units
)
select
  funnel,
  journey,
  version,
  count_by,
  unit,
  attempt_id,
  attempt_count,
  profile_id,
  source,
  entered_at,
  event_id,
  deepest_step,
  outcome,
  ended_because,
  ended_at,
  converted_at,
  time_to_convert_ms,
  within_ms,
  unix_micros(entered_at) + 1000 * within_ms <= unix_micros(watermark) as is_matured,
  options,
from ranked
cross join watermarks
where rank_in_unit = 1
