/**
 * The catalogue as DuckDB's DDL, and the public views over it.
 *
 * A versioned table is stored as two append-only tables: `x_base` has the versions as they were
 * recorded, `x_pending` says which row keys stopped being believed and when. A pending row ends
 * the version of its key that was recorded before it and is not ended yet; the fold (`FOLD`) writes
 * that into `x_base` from time to time, so that readers have less to join. Appending costs the
 * same whatever the history; updating would not.
 *
 * From these come the private relations the texts of `sql/views/` are written over: `x_now`, the
 * versions believed now, `x_all`, every version, and `live_release`. The same text makes the
 * current view and, over the versions believed at an instant, the table function `<view>_as_of`.
 */

import { analysisViews } from '../warehouse/analysis-views.ts'
import {
  asOfTexts,
  liveFunnel,
  liveRelease,
  storedColumns,
  SUPERSEDED,
  versionsText,
  type At,
  type ViewText,
} from '../warehouse/view-sql.ts'
import { sqlFiles } from '../warehouse/sql-files.ts'
import type { Column } from '../warehouse/column.ts'
import { KEYED_TABLES } from '../warehouse/image-tables.ts'
import { uuidOf } from '../base/hash.ts'
import { TABLES, VERSIONED_NAMES, type TableName, type VersionedName } from '../warehouse/tables.ts'
import type { ImageKind } from '../warehouse/warehouse.ts'

const TYPES: { [T in Column['type']]: string } = {
  text: 'varchar',
  json: 'json using compression zstd',
  instant: 'timestamptz',
  integer: 'bigint',
  boolean: 'boolean',
  bytes: 'blob',
  hash64: 'ubigint',
  uuid: 'uuid',
}

/** Functions that the shared texts call by the names BigQuery gives them, and DuckDB lacks. */
const FUNCTIONS = [
  'create or replace macro unix_micros(instant) as epoch_us(instant)',
  "create or replace macro date_from_unix_date(day_no) as date '1970-01-01' + cast(day_no as int)",
  'create or replace macro timestamp_micros(micros) as make_timestamptz(micros)',
  'create or replace macro div(dividend, divisor) as dividend // divisor',
]

const UNCOMPRESSED = ' using compression uncompressed'

/** Relations are called by their names, but a log's view would hide behind a step of its name. */
const at: At = (relation) => (relation in TABLES ? `main.${relation}` : relation)

/** Where rows of a table are appended. */
export function storageOf(table: TableName): string {
  const { kind } = TABLES[table]
  if (kind === 'versioned') return `${table}_base`
  return kind === 'log' ? `${table}_log` : table
}

/** A text as SQL has it. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

type Schema = { hash: string; statements: string[] }

let known: Schema | null = null

/** Statements that make whatever is missing, all of which can be run again, and at the end say
 * which schema is made; its hash is what `STAMP` finds then. The texts are read once. */
export function schema(): Schema {
  known ??= readSchema()
  return known
}

function readSchema(): Schema {
  const statements = makingStatements()
  const hash = uuidOf(statements.join())
  statements.push(`comment on table ${storageOf('batches')} is ${literal(hash)}`)
  return { hash, statements }
}

/** The hash of the schema that was made last. */
export const STAMP = `select comment as hash from duckdb_tables() where table_name = '${storageOf('batches')}'`

/** The tables of a file by name, with the names of their columns. */
export const COLUMNS =
  "select table_name as name, string_agg(column_name, ', ' order by column_index) as columns " +
  'from duckdb_columns() where not internal group by table_name'

/** One of our tables that has other columns in a file than it is made with; null: there is none. */
export function otherTable(columns: ReadonlyMap<string, string>): string | null {
  const isOther = ({ name, columns: ours }: StoredTable) => {
    const theirs = columns.get(name)
    return theirs !== undefined && theirs !== ours.map((column) => column.name).join(', ')
  }
  return storedTables().find(isOther)?.name ?? null
}

function makingStatements(): string[] {
  const view = ({ name, text }: ViewText) => `create or replace view ${name} as\n${text}`
  return [
    ...storedTables().map(tableStatement),
    ...VERSIONED_NAMES.flatMap(relationStatements),
    ...liveStatements(),
    ...VERSIONED_NAMES.map((table) => view(versionsText(table, at))),
    ...sqlFiles('views').map(view),
    ...FUNCTIONS,
    ...analysisViews().map(view),
    ...asOfTexts(at).map(
      ({ name, text }) => `create or replace macro ${name}(believed_at) as table ${text}`,
    ),
  ]
}

/** What is looked up goes here; these are gone with the connection. */
export const LOOKUP_STATEMENTS = [
  'create temp table if not exists wanted (k ubigint, key varchar)',
  'create temp table if not exists wanted_hash (k ubigint)',
  'create temp table if not exists wanted_id (id uuid)',
]

function columnsOf(table: TableName): readonly Column[] {
  return TABLES[table].columns
}

/** A table as it lies in the file. */
type StoredTable = { name: string; columns: { name: string; type: string }[] }

function storedTables(): StoredTable[] {
  return (Object.keys(TABLES) as TableName[]).flatMap((table) => {
    if (TABLES[table].kind !== 'versioned') return [storedTable(table)]
    const base = storedTable(table)
    const rowKey = { name: 'row_key', type: TYPES.uuid }
    const [at, by, because] = ENDED
    return [
      { name: base.name, columns: [...base.columns, at, by, because] },
      { name: `${table}_pending`, columns: [rowKey, because, at, by] },
    ]
  })
}

const ENDED = [
  { name: 'superseded_at', type: TYPES.instant },
  { name: 'superseded_by', type: TYPES.integer },
  { name: 'superseded_because', type: TYPES.text },
] as const

/** Texts that are read back by key and soon replaced are not packed, which would cost more. */
function storedTable(table: TableName): StoredTable {
  const isKeyed = KEYED_TABLES.some((keyed) => keyed === table)
  const columns = columnsOf(table).map(({ name, type }) => ({
    name,
    type: TYPES[type] + (isKeyed && type === 'text' ? UNCOMPRESSED : ''),
  }))
  const recorded = [
    { name: 'recorded_at', type: TYPES.instant },
    { name: 'recorded_by', type: TYPES.integer },
  ]
  return { name: storageOf(table), columns: [...columns, ...recorded] }
}

function tableStatement({ name, columns }: StoredTable): string {
  const list = columns.map((column) => `${column.name} ${column.type}`).join(', ')
  return `create table if not exists ${name} (${list})`
}

/** Makes one of the tables that are read back by key. */
export function keyedStatement(table: (typeof KEYED_TABLES)[number]): string {
  return tableStatement(storedTable(table))
}

/**
 * Most rows have nothing pending: they are passed through, and only versions of a key that has are
 * matched with what ended them.
 */
function relationStatements(table: VersionedName): string[] {
  const stored = storedColumns(table)
  const base = stored.map((name) => `base.${name}`).join(', ')
  const ended = (from: string) => SUPERSEDED.map((name) => `${from}.${name}`).join(', ')
  const joined = (kind: string) =>
    `from ${table}_base as base ${kind} join ${table}_pending as pending ` +
    'on pending.row_key = base.row_key'
  return [
    `create or replace view ${table}_now as select ${base} ${joined('anti')} ` +
      'and pending.superseded_by > base.recorded_by where base.superseded_at is null',
    `create or replace view ${table}_all as ` +
      `select ${base}, ${ended('base')} from ${table}_base as base ` +
      'where base.superseded_at is not null ' +
      `union all select ${base}, null, null, null ${joined('anti')} ` +
      'where base.superseded_at is null ' +
      `union all select ${base}, ${ended('pending')} from (` +
      `select ${base} ${joined('semi')} where base.superseded_at is null) as base ` +
      `asof left join ${table}_pending as pending ` +
      'on pending.row_key = base.row_key and base.recorded_by < pending.superseded_by',
  ]
}

function liveStatements(): string[] {
  return [
    `create or replace view live_release as ${liveRelease('true', at)}`,
    `create or replace view live_funnel as ${liveFunnel('true', at)}`,
  ]
}

/** Writes what is pending into the base table; in a transaction of its own. */
export function foldStatements(table: VersionedName): string[] {
  return [
    `create or replace temp table folding as select base.rowid as id, pending.superseded_at, ` +
      `pending.superseded_by, pending.superseded_because from ${table}_base as base ` +
      `asof join ${table}_pending as pending on pending.row_key = base.row_key ` +
      'and base.recorded_by < pending.superseded_by where base.superseded_at is null',
    `update ${table}_base set superseded_at = folding.superseded_at, ` +
      'superseded_by = folding.superseded_by, superseded_because = folding.superseded_because ' +
      `from folding where folding.id = ${table}_base.rowid`,
    'drop table folding',
    `truncate ${table}_pending`,
  ]
}

/** The latest image of each key. Not by `row_number()` over `rowid`: DuckDB 1.5 gives no row where
 * that is selected too. */
export function latestImages(relation: string): string {
  const latest = `select max(rowid) from ${relation} group by k, key`
  return `select * from ${relation} where rowid in (${latest})`
}

/** Keeps the latest image of each key; in a transaction of its own. */
export function compactStatements(table: `${ImageKind}_image`): string[] {
  const kept = `${table}_kept`
  return [
    `create or replace temp table ${kept} as ${latestImages(table)}`,
    `drop table ${table}`,
    keyedStatement(table),
    `insert into ${table} select * from ${kept}`,
    `drop table ${kept}`,
  ]
}
