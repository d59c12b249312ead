-- How long each counted unit of a funnel took from step to step.
-- Grain: one row per funnel, unit and step that the unit reached.
-- Caveat: times are those of the unit's first attempt that reached the step, since the previous
-- step that the attempt reached; null for the first.
-- Reads: funnel_attempt_steps, funnel_attempt_units
with steps as (
  select
    attempt_id,
    step_no,
    reached_at,
    div(
      (
        unix_micros(reached_at) - unix_micros(
          lag(reached_at) over (partition by attempt_id order by step_no)
        )
      ),
      1000
    ) as since_previous_ms,
  from funnel_attempt_steps
)
select
  funnel,
  journey,
  unit,
  step_no,
  since_previous_ms,
from steps
inner join funnel_attempt_units on funnel_attempt_units.attempt_id = steps.attempt_id
qualify row_number() over (
  partition by funnel, journey, unit, step_no order by reached_at, attempt_no
) = 1
