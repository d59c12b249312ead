-- Attempts at funnels, for the live version of each funnel.
-- Grain: one row per attempt.
-- Caveat: a pending attempt has not dropped off: its window is open at the watermark. journey and
-- instance_id are null if the steps are events. source, event_id and session_id are those of the
-- entry, and null if a timeout entered. attempt_no counts a profile's attempts at the funnel by
-- entry.
-- Reads: funnel_attempt_now, live_funnel
select
  attempt_id,
  funnel_attempt_now.funnel,
  funnel_attempt_now.journey,
  funnel_attempt_now.version,
  profile_id,
  instance_id,
  row_number() over (
    partition by funnel_attempt_now.funnel, funnel_attempt_now.journey, profile_id
    order by
      entered_at,
      entry_ordinal,
      coalesce(event_id, ''),
      coalesce(instance_id, ''),
      entry_cause
  ) as attempt_no,
  source,
  entered_at,
  event_id,
  session_id,
  deepest_step,
  outcome,
  ended_because,
  ended_at,
  converted_at,
  time_to_convert_ms,
from funnel_attempt_now
inner join live_funnel
  on live_funnel.funnel = funnel_attempt_now.funnel
  and live_funnel.owner = coalesce(funnel_attempt_now.journey, '')
  and live_funnel.version = funnel_attempt_now.version
