-- What funnels count: an attempt, a profile, a session or an instance, as the funnel's count says.
-- Grain: one row per funnel and unit.
-- Caveat: of a unit with several attempts one is counted: the first that converted, else the first
-- that still may, else the first of those that came deepest. deepest_step is over all of them. The
-- unit is matured when that attempt entered at least one window before the watermark; is_matured is
-- null where the funnel has no window.
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
