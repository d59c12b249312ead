/**
 * Queries of the page's blocks: each returns the numbers that a block shows for the chosen days and
 * source, and runs as it stands on DuckDB and BigQuery.
 */

import { formatInstant, MS } from '../../pipeline/base/clock.ts'
import { groupedCyclesSql, groupedMovesSql, groupedUnitsSql } from './collect/moves-sql.ts'
import { isEverything, UNKNOWN, type Slice } from './cube/cube.ts'
import { literal } from './sql-literal.ts'
import { sketchSql } from './sketch/sketch-sql.ts'

export const BLOCKS = [
  'map',
  'funnel',
  'cycles',
  'next',
  'rework',
  'durations',
  'standing',
  'variants',
  'quality',
] as const
export type BlockName = (typeof BLOCKS)[number]

type Place = {
  journey: string
  track: string
  slice: Slice
  /** Expression of the group, see `eventValue`; null for none. */
  value: string | null
}

/** Returns a day as a literal, from its first millisecond. */
export const dayLiteral = (ms: number): string => `date '${formatInstant(ms * MS).slice(0, 10)}'`

/** Condition on a column, after an `and`. */
const isSql = (column: string, name: string | null): string =>
  name === null ? '' : `\n  and ${column} ${name === UNKNOWN ? 'is null' : `= ${literal(name)}`}`

/** Conditions on the columns `day`, `source` and `group_value`, each after an `and`. */
function sliceSql({ from, to, source, group }: Slice): string {
  const conditions = [
    from === null ? '' : `\n  and day >= ${dayLiteral(from)}`,
    to === null ? '' : `\n  and day <= ${dayLiteral(to)}`,
    isSql('source', source),
    isSql('group_value', group),
  ]
  return conditions.join('')
}

/** Returns the query of a block. */
export function blockSql(block: BlockName, { journey, track, slice, value }: Place): string {
  const grouped = (view: string, sql: (value: string) => string) =>
    slice.group === null || value === null ? view : `(${sql(value)}) as ${view}`
  const where = `where journey = ${literal(journey)} and track = ${literal(track)}`
  const days = sliceSql({ ...slice, source: null, group: null })
  switch (block) {
    case 'map':
      return `select from_state, to_state, cause, sum(transition_count) as times
from ${grouped('daily_transitions', groupedMovesSql)}
${where}${sliceSql(slice)}
group by from_state, to_state, cause
order by times desc, from_state, to_state`
    case 'funnel':
      return `select funnel_definitions.funnel, step_no, step,
  sum(unit_count) as reached,
  sum(if(outcome = 'converted', unit_count, 0)) as converted,
  sum(if(outcome = 'dropped', unit_count, 0)) as dropped,
  sum(if(outcome = 'pending', unit_count, 0)) as pending,
  sum(if(is_matured, unit_count, 0)) as matured_count,
  sum(if(is_matured and outcome = 'converted', unit_count, 0)) as matured_converted_count
from funnel_definitions
inner join ${grouped('funnel_paths', groupedUnitsSql)}
  on funnel_paths.funnel = funnel_definitions.funnel
  and coalesce(funnel_paths.journey, '') = coalesce(funnel_definitions.journey, '')
where coalesce(funnel_paths.journey, ${literal(journey)}) = ${literal(journey)}
  and concat(',', steps, ',') like concat('%,', cast(step_no as string), ',%')${sliceSql(slice)}
group by funnel_definitions.funnel, step_no, step
order by funnel, step_no`
    case 'cycles':
      return `select path, sum(cycle_count) as times, sum(total_duration_ms) as total_duration_ms
from ${grouped('daily_cycles', groupedCyclesSql)}
${where}${sliceSql(slice)}
group by path
order by times desc, path`
    case 'variants':
      return `select path, sum(instance_count) as runs
from daily_paths
${where}${sliceSql({ ...slice, group: null })}
group by path
order by runs desc, path`
    case 'next':
      return `select drop_off, from_state, to_state, next_state, next_cause, next_event,
  drop_off_count, share, median_next_after_ms
from next_after_drop_off
${where}
order by drop_off_count desc, drop_off, from_state, to_state`
    case 'rework':
      return `select state, entry_count, self_loop_count, repeat_count, instance_count,
  reworked_instance_count, rework_rate
from rework
${where} and self_loop_count + repeat_count > 0
order by self_loop_count + repeat_count desc, state`
    case 'durations':
      if (!isEverything(slice)) {
        return `select path as visit_and_state, kind, bucket, sum(times) as times
from (${sketchSql('stays', slice.group === null ? null : value, 0)}
) as stays
where owner = ${literal(journey)} and track = ${literal(track)}${sliceSql(slice)}
group by path, kind, bucket
order by path, bucket, kind`
      }
      return `select state, visit, completed_count, median_ms, p90_ms, still_inside_count
from state_durations
${where}
order by state, visit`
    case 'standing':
      return `select day, state, instance_count
from daily_states
${where}${days}
order by day, state`
    case 'quality':
      return `select day, view_name, sum(added_count) as added, sum(removed_count) as removed
from corrections_by_day
where journey is null or journey = ${literal(journey)}
group by day, view_name
order by day desc, view_name`
  }
}
