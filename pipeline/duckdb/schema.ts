/**
 * The schema of a DuckDB file as statements.
 *
 * The schema `main` has only the views and functions of the contract, which `show tables` lists.
 * The tables (`stored-tables.ts`) and the relations that the texts of `sql/views/` read are in
 * `internal`: `x_now`, the current versions, `x_all`, every version, `live_release` and
 * `live_funnel`. The same text makes the current view and, over versions as of an instant, the
 * table function `<view>_as_of`.
 *
 * DuckDB resolves the names in a view when the view is read, first in the schema of the view.
 * Public texts are therefore prefixed with steps that have the names of internal relations.
 */

import { analysisViews } from '../warehouse/analysis-views.ts'
import {
  asOfTexts,
  liveFunnel,
  liveRelease,
  storedColumns,
  versionsText,
  type At,
  type ViewText,
} from '../warehouse/view-sql.ts'
import { isPublic, publicViews, SUPERSEDED, type DescribedView } from '../warehouse/public-views.ts'
import { sqlFiles, type SqlFile } from '../warehouse/sql-files.ts'
import { uuidOf } from '../base/hash.ts'
import { VERSIONED_NAMES, type VersionedName } from '../warehouse/tables.ts'
import {
  INTERNAL,
  internal,
  pendingOf,
  storageOf,
  storedTables,
  tableStatement,
} from './stored-tables.ts'

/** Functions of BigQuery that the shared texts call and DuckDB lacks. */
const FUNCTIONS = [
  'create or replace macro main.unix_micros(instant) as epoch_us(instant)',
  "create or replace macro main.date_from_unix_date(day_no) as date '1970-01-01' + cast(day_no as int)",
  'create or replace macro main.timestamp_micros(micros) as make_timestamptz(micros)',
  'create or replace macro main.div(dividend, divisor) as dividend // divisor',
]

/** Returns the qualified name of a relation. */
const at: At = (relation) => (isPublic(relation) ? `main.${relation}` : internal(relation))

/** Writes a text as a SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

type Schema = {
  hash: string
  statements: string[]
  /** Statements that set comments on the public views and their columns. */
  comments: string[]
}

let known: Schema | null = null

/** Returns the statements that create whatever is missing. They can be repeated. The last one
 * records the hash of the schema, which `STAMP` returns. The texts are read once. */
export function schema(): Schema {
  known ??= readSchema()
  return known
}

function readSchema(): Schema {
  const statements = makingStatements()
  const comments = [...publicViews().values()].flatMap(commentsOn)
  const hash = uuidOf([...statements, ...comments].join())
  statements.push(`comment on table ${storageOf('batches')} is ${literal(hash)}`)
  return { hash, statements, comments }
}

/** Query for the recorded hash of the schema. */
export const STAMP =
  'select comment as hash from duckdb_tables() where database_name = current_database() ' +
  `and schema_name = '${INTERNAL}' and table_name = 'batches_log'`

/** Query for a row if the file has layout 1, in which all tables were in `main`. */
export const FIRST_LAYOUT =
  'select 1 from duckdb_tables() where database_name = current_database() ' +
  "and schema_name = 'main' and table_name = 'batches_log'"

function commentsOn({ name: view, about, columns }: DescribedView): string[] {
  return [
    `comment on view ${at(view)} is ${literal(about)}`,
    ...columns.map(
      (column) => `comment on column ${at(view)}.${column.name} is ${literal(column.about)}`,
    ),
  ]
}

function makingStatements(): string[] {
  const view = ({ name, text }: ViewText) => `create or replace view ${at(name)} as\n${text}`
  return [
    `create schema if not exists ${INTERNAL}`,
    ...storedTables().map(tableStatement),
    ...VERSIONED_NAMES.flatMap(relationTexts).map(view),
    view({ name: 'live_release', text: liveRelease('true', at) }),
    view({ name: 'live_funnel', text: liveFunnel('true', at) }),
    ...VERSIONED_NAMES.map((table) => view(versionsText(table, at))),
    ...sqlFiles('views').map((file) => view({ name: file.name, text: overInternal(file) })),
    ...FUNCTIONS,
    ...analysisViews().map(view),
    ...asOfTexts(at).map(
      ({ name, text }) => `create or replace macro ${at(name)}(believed_at) as table ${text}`,
    ),
  ]
}

/** Temporary tables with the keys of a lookup; they belong to the connection. */
export const LOOKUP_STATEMENTS = [
  'create temp table if not exists wanted (k ubigint, key varchar)',
  'create temp table if not exists wanted_hash (k ubigint)',
  'create temp table if not exists wanted_id (id uuid)',
]

/** Returns a public text over the internal relations that it reads. DuckDB inlines the steps, as if
 * the text named the relations. */
function overInternal({ text, reads }: SqlFile): string {
  const steps = reads.map((name) => `${name} as not materialized (select * from ${at(name)})`)
  return `with ${steps.join(', ')} select * from (\n${text}\n)`
}

/** Returns `x_now` and `x_all`. */
function relationTexts(table: VersionedName): ViewText[] {
  const base = storedColumns(table).map((name) => `base.${name}`)
  return [
    {
      name: `${table}_now`,
      text: currentText(base.join(', '), storageOf(table), pendingOf(table)),
    },
    { name: `${table}_all`, text: allText(table, storageOf(table), pendingOf(table)) },
  ]
}

/** Returns the query for columns of the current versions, named `base.x`, over the versions as recorded
 * and the pending rows. */
export function currentText(columns: string, recorded: string, pending: string): string {
  return (
    `select ${columns} ${pendingJoin('anti', recorded, pending)} ` +
    'and pending.superseded_by > base.recorded_by where base.superseded_at is null'
  )
}

/**
 * Returns the query for every version, over the versions as recorded and the pending rows. Most
 * rows have nothing pending and are passed through. Only versions whose key has a pending row are
 * matched with it.
 */
export function allText(table: VersionedName, recorded: string, pending: string): string {
  const base = storedColumns(table)
    .map((name) => `base.${name}`)
    .join(', ')
  const ended = (from: string) => SUPERSEDED.map((name) => `${from}.${name}`).join(', ')
  const joined = (kind: string) => pendingJoin(kind, recorded, pending)
  return (
    `select ${base}, ${ended('base')} from ${recorded} as base ` +
    'where base.superseded_at is not null ' +
    `union all select ${base}, null, null, null ${joined('anti')} ` +
    'where base.superseded_at is null ' +
    `union all select ${base}, ${ended('pending')} from (` +
    `select ${base} ${joined('semi')} where base.superseded_at is null) as base ` +
    `asof left join ${pending} as pending ` +
    'on pending.row_key = base.row_key and base.recorded_by < pending.superseded_by'
  )
}

function pendingJoin(kind: string, recorded: string, pending: string): string {
  return (
    `from ${recorded} as base ${kind} join ${pending} as pending ` +
    'on pending.row_key = base.row_key'
  )
}
