/**
 * What the public views stand on, in SQL that every warehouse reads: which release is live, what
 * was believed at an instant, and the texts of the views with the relations each reads.
 *
 * A warehouse gives `x_now`, the versions believed now, and `x_all`, every version; it says by `at`
 * how its relations are called. The rest is here, once.
 */

import { analysisViews } from './analysis-views.ts'
import { versionsColumns } from './public-views.ts'
import { IS_MOVE } from './release-log.ts'
import { sqlFiles } from './sql-files.ts'
import { TABLES, VERSIONED_NAMES, type TableSpec, type VersionedName } from './tables.ts'

/** How a warehouse calls a relation of its own. */
export type At = (relation: string) => string

/** The condition, over `x_all`, of the versions that were believed at the instant `believed_at`. */
const BELIEVED =
  'recorded_at <= believed_at and (superseded_at is null or superseded_at > believed_at)'

/** The logs that a view of an instant reads, up to it. */
const LOGS = ['events', 'batches', 'releases', 'funnel_definitions', 'outcomes']

/** Columns of a versioned table as its relations give them, superseded apart. */
export function storedColumns(table: VersionedName): string[] {
  return [...TABLES[table].columns.map(({ name }) => name), 'recorded_at', 'recorded_by']
}

/** Which version of a journey the views show: the one moved to last, up to a condition. */
export function liveRelease(condition: string, at: At): string {
  return (
    `select id as journey, max_by(version, recorded_by) as version from ${at('releases_log')} ` +
    `where kind = 'journey' and ${IS_MOVE} and ${condition} group by id`
  )
}

/** Which version of a funnel the views show: its journey's, or the one moved to last. */
export function liveFunnel(condition: string, at: At): string {
  return (
    "select distinct defined.funnel, coalesce(defined.journey, '') as owner, defined.version " +
    `from ${at('funnel_definitions_log')} as defined inner join (select kind, id, ` +
    `max_by(version, recorded_by) as version from ${at('releases_log')} ` +
    `where ${IS_MOVE} and ${condition} group by kind, id) as live ` +
    "on live.kind = if(defined.journey is null, 'funnel', 'journey') " +
    'and live.id = coalesce(defined.journey, defined.funnel) and live.version = defined.version'
  )
}

export type ViewText = { name: string; text: string }

/** A query that is a text over relations of its own: each name with what it is. */
export function over(relations: readonly [name: string, query: string][], text: string): string {
  const steps = relations.map(([name, query]) => `${name} as (${query})`)
  return `with ${steps.join(', ')} select * from (\n${text}\n)`
}

/**
 * `<view>_as_of`: the same text over what each relation it reads was at the instant `believed_at`.
 * A view over versions or another log reads history itself and has no such function.
 */
export function asOfTexts(at: At): ViewText[] {
  const functions: ViewText[] = []
  const then = new Map<string, string>()
  const add = (view: string, query: string) => {
    functions.push({ name: `${view}_as_of`, text: query })
    then.set(view, `select * from ${at(`${view}_as_of`)}(believed_at)`)
  }
  for (const { name, text } of sqlFiles('views')) {
    const table = VERSIONED_NAMES.find((versioned) => TABLES[versioned].view === name)
    if (table !== undefined) add(name, over(relationsThen(table, at), text))
  }
  for (const log of LOGS) {
    then.set(log, `select * from ${at(log)} where recorded_at <= believed_at`)
  }
  for (const { name, text, reads } of analysisViews()) {
    if (!reads.every((relation) => then.has(relation))) continue
    add(
      name,
      over(
        reads.map((relation) => [relation, then.get(relation) as string]),
        text,
      ),
    )
  }
  return functions
}

function relationsThen(table: VersionedName, at: At): [name: string, query: string][] {
  const columns = storedColumns(table).join(', ')
  return [
    [`${table}_now`, `select ${columns} from ${at(`${table}_all`)} where ${BELIEVED}`],
    ['live_release', liveRelease('recorded_at <= believed_at', at)],
    ['live_funnel', liveFunnel('recorded_at <= believed_at', at)],
  ]
}

/** The public view of all versions of a table. */
export function versionsText(table: VersionedName, at: At): ViewText {
  const spec: TableSpec = TABLES[table]
  const text = `select ${versionsColumns(table).join(', ')} from ${at(`${table}_all`)}`
  return { name: spec.versions as string, text }
}
