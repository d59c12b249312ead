/** Query of the comparison of two weeks, for DuckDB and BigQuery. */

import type { Changes } from './changes.ts'
import { dayLiteral } from './block-sql.ts'
import { literal } from './sql-literal.ts'
import type { Days, Windows } from './windows.ts'

/** Returns the query of the counts of both weeks as they are known now. */
export function changesSql(journey: string, track: string, changes: Changes): string {
  const { windows, funnels } = changes
  const where = `where journey = ${literal(journey)} and track = ${literal(track)}`
  const counts = (kind: string, name: string, value: string, view: string) =>
    `select '${kind}' as kind, ${name} as name,
  ${inDays(value, windows.recent)} as recent,
  ${inDays(value, windows.before)} as before
from ${view}
${where} and ${spanSql(windows)}
group by name`
  const rates = funnels.map(
    (
      one,
    ) => `select ${literal(`funnel ${one.name}, step`)} as kind, cast(step_no as string) as name,
  ${inDays('unit_count', one.windows.recent)} as recent,
  ${inDays('unit_count', one.windows.before)} as before
from funnel_definitions
inner join funnel_paths
  on funnel_paths.funnel = funnel_definitions.funnel
  and coalesce(funnel_paths.journey, '') = coalesce(funnel_definitions.journey, '')
where funnel_definitions.funnel = ${literal(one.name)}
  and coalesce(funnel_definitions.journey, ${literal(journey)}) = ${literal(journey)}
  and is_matured and ${spanSql(one.windows)}
  and concat(',', steps, ',') like concat('%,', cast(step_no as string), ',%')
group by name`,
  )
  return [
    counts('entered', 'to_state', 'transition_count', 'daily_transitions'),
    counts('cycle', 'path', 'cycle_count', 'daily_cycles'),
    ...rates,
  ]
    .join('\nunion all\n')
    .concat('\norder by kind, name')
}

const spanSql = ({ before, recent }: Windows): string =>
  `day between ${dayLiteral(before.from)} and ${dayLiteral(recent.to)}`

const inDays = (value: string, { from, to }: Days): string =>
  `sum(if(day between ${dayLiteral(from)} and ${dayLiteral(to)}, ${value}, 0))`
