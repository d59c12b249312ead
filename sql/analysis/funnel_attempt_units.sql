-- The unit for which each attempt at a funnel counts, by the funnel's count: the attempt, its
-- profile, its session or its instance.
-- Grain: one row per attempt.
-- Caveat: unit is the id of the attempt, profile, session or instance.
-- Reads: funnel_attempts, funnel_definitions
select
  funnel_attempts.funnel,
  funnel_attempts.journey,
  funnel_attempts.version,
  count_by,
  case count_by
    when 'profiles' then profile_id
    when 'sessions' then session_id
    when 'instances' then instance_id
    else cast(attempt_id as string)
  end as unit,
  attempt_id,
  profile_id,
  attempt_no,
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
  options,
from funnel_attempts
inner join funnel_definitions
  on funnel_definitions.funnel = funnel_attempts.funnel
  and coalesce(funnel_definitions.journey, '') = coalesce(funnel_attempts.journey, '')
where step_no = 1
