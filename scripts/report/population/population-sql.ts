/**
 * Views over part of the rows: those of another version of a journey, or of the members of a cohort.
 * The texts of the analysis views are read over base relations of their own.
 */

import { compileJourneyFunnels } from '../../../pipeline/definition/compile-funnel.ts'
import type { Journey } from '../../../pipeline/definition/journey.ts'
import { analysisViews } from '../../../pipeline/warehouse/analysis-views.ts'
import { literal } from '../sql-literal.ts'

type Relation = readonly [name: string, query: string]

/** Views that a population has. */
const VIEWS = ['daily_transitions', 'daily_cycles', 'funnel_paths']

/** Returns the `with` clause under which the daily views are those of the members of a cohort. */
export function cohortSql(cohort: string): string {
  const members = `select profile_id from cohort_members where cohort = ${literal(cohort)}`
  const own = (view: string): Relation => [
    view,
    `select * from ${view} where profile_id in (${members})`,
  ]
  return over([own('transitions'), own('cycles'), own('funnel_attempts')])
}

/** Returns the `with` clause under which the daily views are those of this version of a journey,
 * which need not be live. */
export function versionSql(journey: Journey): string {
  const own = (versions: string, extra = '') =>
    `select *${extra} from ${versions}
    where superseded_at is null and journey = ${literal(journey.id)}
      and version = ${journey.version}`
  // The order of entries at one instant is not public, and none of these views depends on it.
  const attemptNo = `, row_number() over (
      partition by funnel, profile_id order by entered_at, attempt_id
    ) as attempt_no`
  return over([
    ['transitions', own('transition_facts')],
    ['cycles', own('cycle_facts')],
    ['funnel_attempts', own('funnel_attempt_versions', attemptNo)],
    ['funnel_attempt_steps', own('funnel_attempt_step_versions')],
    ['funnel_definitions', definitionsSql(journey)],
  ])
}

/** The steps of the funnels of a journey, as `funnel_definitions` has those of the live version. */
function definitionsSql(journey: Journey): string {
  const rows = compileJourneyFunnels(journey).flatMap((funnel) =>
    funnel.steps.map(({ name, isOptional }, i) => {
      const within = funnel.windowUs === Infinity ? null : Math.ceil(funnel.windowUs / 1_000)
      const step = funnel.order === 'any' ? null : literal(name)
      return `select ${literal(funnel.id)} as funnel, ${literal(journey.id)} as journey,
      ${journey.version} as version, ${i + 1} as step_no, cast(${step} as string) as step,
      ${isOptional} as is_optional, ${literal(funnel.countBy)} as count_by,
      cast(${within} as int64) as within_ms, ${literal(funnel.options)} as options`
    }),
  )
  return rows.length === 0
    ? 'select * from funnel_definitions where false'
    : rows.join('\n    union all ')
}

/** Comments have their lines to themselves. */
const withoutHeader = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !line.startsWith('--'))
    .join('\n')

function over(base: readonly Relation[]): string {
  const all = analysisViews()
  const needed = new Set(VIEWS)
  for (const { name, reads } of all.toReversed()) {
    if (needed.has(name)) for (const relation of reads) needed.add(relation)
  }
  const derived = all
    .filter(({ name }) => needed.has(name))
    .map(({ name, text }): Relation => [name, withoutHeader(text)])
  const steps = [...base, ...derived].map(([name, query]) => `${name} as (\n${query}\n)`)
  return `with ${steps.join(',\n')}\n`
}
