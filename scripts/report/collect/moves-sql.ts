/**
 * Transitions and funnel units with their day, source and group: the value of the property that
 * `--by` names.
 */

/** Day of a unit's entry. */
export const UNIT_DAY = 'date_from_unix_date(div(unix_micros(entered_at), 86400000000))'

/** Column of a group where no property is named. */
const NO_GROUP = 'cast(null as string) as group_value'

/** `value` is an expression over `events`, see `eventValue`. */
const valuesSql = (value: string): string => `select event_id, ${value} as group_value from events`

/** Returns the query of all moves. A move without the property has the value of the latest event
 * before it in its run that has it. */
export function movesSql(value: string | null): string {
  const columns = `transition_id, journey, version, instance_id, track, visit, from_state, to_state,
    cause, dwell_ms, source,
    date_from_unix_date(div(unix_micros(occurred_at), 86400000000)) as day`
  if (value === null) return `select ${columns}, ${NO_GROUP} from sourced_transitions`
  return `
    select ${columns},
      last_value(group_value ignore nulls) over (
        partition by journey, version, instance_id order by seq
        rows between unbounded preceding and current row
      ) as group_value
    from sourced_transitions
    left join (${valuesSql(value)}) as own on own.event_id = sourced_transitions.event_id`
}

/** Returns the query of all units of funnels. Their group is of the entering event. */
export function unitsSql(value: string | null): string {
  const columns = 'funnel, journey, unit, source, entered_at, ended_at, outcome, is_matured'
  if (value === null) return `select ${columns}, ${NO_GROUP} from funnel_units`
  return `
    select ${columns}, group_value
    from funnel_units
    left join (${valuesSql(value)}) as own on own.event_id = funnel_units.event_id`
}

/** Returns the query of moves by day, source and group: `daily_transitions` with a group. */
export function groupedMovesSql(value: string | null): string {
  const columns = 'journey, track, day, source, group_value, from_state, to_state, cause'
  return `
    select ${columns}, count(*) as transition_count
    from (${movesSql(value)}) as moves group by ${columns}`
}

/** Returns the query of cycles by day, source and group: `daily_cycles` with a group. */
export function groupedCyclesSql(value: string | null): string {
  const columns = 'cycles.journey, cycles.track, day, source, group_value, path'
  return `
    select ${columns}, count(*) as cycle_count,
      cast(sum(duration_ms) as int64) as total_duration_ms
    from cycles inner join (${movesSql(value)}) as moves on transition_id = closed_by
    group by ${columns}`
}

/** Returns the query of units by day, source and group: `funnel_paths` with a group. */
export function groupedUnitsSql(value: string | null): string {
  const columns = `funnel_units.funnel, funnel_units.journey, day, source, group_value, steps, outcome,
    is_matured`
  return `
    select ${columns}, count(*) as unit_count
    from (select *, ${UNIT_DAY} as day from (${unitsSql(value)}) as units) as funnel_units
    inner join funnel_unit_steps
      on funnel_unit_steps.funnel = funnel_units.funnel
      and coalesce(funnel_unit_steps.journey, '') = coalesce(funnel_units.journey, '')
      and funnel_unit_steps.unit = funnel_units.unit
    group by ${columns}`
}
