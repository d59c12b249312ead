/**
 * SQL below the public views, shared by all engines: the live release, rows as of an instant, and
 * the texts of the views with the relations that each reads.
 *
 * An engine provides `x_now`, the current versions, and `x_all`, every version. It passes `at` to
 * name its relations.
 */

import { analysisViews } from './analysis-views.ts'
import { versionsColumns } from './public-views.ts'
import { IS_MOVE } from './release-log.ts'
import { sqlFiles } from './sql-files.ts'
import { TABLES, VERSIONED_NAMES, type TableSpec, type VersionedName } from './tables.ts'

/** Returns the engine's name of a relation. */
export type At = (relation: string) => string

/** Condition, over `x_all`, for the versions that were current at the instant `believed_at`. */
const BELIEVED =
  'recorded_at <= believed_at and (superseded_at is null or superseded_at > believed_at)'

/** Logs that views as of an instant read, up to it. */
const LOGS = ['events', 'batches', 'releases', 'funnel_definitions', 'outcomes']

/** Returns the columns of a versioned table in its relations, without its end. */
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

/** Returns the query for the live version of each funnel: that of its journey, or the one moved to
 * last. */
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
 * Returns the functions `<view>_as_of`: the text of a view over its relations as of the instant
 * `believed_at`. Views over versions or another log read history themselves and have no such
 * function.
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

/** Returns the public view of all versions of a table. */
export function versionsText(table: VersionedName, at: At): ViewText {
  const spec: TableSpec = TABLES[table]
  const text = `select ${versionsColumns(table).join(', ')} from ${at(`${table}_all`)}`
  return { name: spec.versions as string, text }
}
