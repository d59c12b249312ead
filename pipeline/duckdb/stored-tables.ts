/**
 * The catalogue as DuckDB tables, all in the schema `internal`.
 *
 * A versioned table is stored as two append-only tables: `x_base` has the versions as recorded,
 * `x_pending` has the keys that were superseded, and when. A pending row ends the version of its
 * key that was recorded before it and has not ended. The fold (`foldStatements`) writes pending
 * rows into `x_base` from time to time, so that readers join less. Appending has constant cost;
 * updating does not.
 */

import type { Column } from '../warehouse/column.ts'
import { KEYED_TABLES } from '../warehouse/image-tables.ts'
import { TABLES, type TableName, type VersionedName } from '../warehouse/tables.ts'
import type { ImageKind } from '../warehouse/warehouse.ts'

/** Schema of the tables and of the relations that public views read. */
export const INTERNAL = 'internal'

/** Schemas that the pipeline's own queries search. */
export const SEARCH_PATH = `main,${INTERNAL}`

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

const ZSTD = ' using compression zstd'
/** Texts that a commit writes for each key that it touches. */
const STATE_TEXTS = new Set(['image', 'segment'])

/** Returns the qualified name of a relation that is not part of the contract. */
export function internal(relation: string): string {
  return `${INTERNAL}.${relation}`
}

/** Returns the qualified name of the table to which rows are appended. */
export function storageOf(table: TableName): string {
  return internal(storedNameOf(table))
}

/** Returns the qualified name of the table of superseded keys. */
export function pendingOf(table: VersionedName): string {
  return internal(`${table}_pending`)
}

function storedNameOf(table: TableName): string {
  const { kind } = TABLES[table]
  if (kind === 'versioned') return `${table}_base`
  return kind === 'log' ? `${table}_log` : table
}

/** Query for the internal tables of a file with the names of their columns. */
export const COLUMNS =
  "select table_name as name, string_agg(column_name, ', ' order by column_index) as columns " +
  'from duckdb_columns() where database_name = current_database() ' +
  `and schema_name = '${INTERNAL}' group by table_name`

/** Returns a table whose columns in a file differ from the catalogue, or null. */
export function otherTable(columns: ReadonlyMap<string, string>): string | null {
  const isOther = ({ name, columns: ours }: StoredTable) => {
    const theirs = columns.get(name)
    return theirs !== undefined && theirs !== ours.map((column) => column.name).join(', ')
  }
  return storedTables().find(isOther)?.name ?? null
}

function columnsOf(table: TableName): readonly Column[] {
  return TABLES[table].columns
}

/** Table as stored in the file; the name is unqualified. */
export type StoredTable = { name: string; columns: { name: string; type: string }[] }

/** Returns all tables of the schema. */
export function storedTables(): StoredTable[] {
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

/** Returns a table as stored. Images and segments are half of a file without compression. A read by
 * key decompresses pages of 2,048 texts, but the state store reads the tables only for keys that
 * it lacks. */
function storedTable(table: TableName): StoredTable {
  const isKeyed = KEYED_TABLES.some((keyed) => keyed === table)
  const columns = columnsOf(table).map(({ name, type }) => ({
    name,
    type: TYPES[type] + (isKeyed && STATE_TEXTS.has(name) ? ZSTD : ''),
  }))
  const recorded = [
    { name: 'recorded_at', type: TYPES.instant },
    { name: 'recorded_by', type: TYPES.integer },
  ]
  return { name: storedNameOf(table), columns: [...columns, ...recorded] }
}

/** Returns the statement that creates a table unless it exists. */
export function tableStatement({ name, columns }: StoredTable): string {
  const list = columns.map((column) => `${column.name} ${column.type}`).join(', ')
  return `create table if not exists ${internal(name)} (${list})`
}

/** Returns the statement that creates a table that is read by key. */
export function keyedStatement(table: (typeof KEYED_TABLES)[number]): string {
  return tableStatement(storedTable(table))
}

/** Returns the statements that fold pending rows into the base table, in their own transaction. */
export function foldStatements(table: VersionedName): string[] {
  const base = storageOf(table)
  const pending = pendingOf(table)
  return [
    `create or replace temp table folding as select base.rowid as id, pending.superseded_at, ` +
      `pending.superseded_by, pending.superseded_because from ${base} as base ` +
      `asof join ${pending} as pending on pending.row_key = base.row_key ` +
      'and base.recorded_by < pending.superseded_by where base.superseded_at is null',
    `update ${base} as base set superseded_at = folding.superseded_at, ` +
      'superseded_by = folding.superseded_by, superseded_because = folding.superseded_because ' +
      `from folding where folding.id = base.rowid`,
    'drop table folding',
    `truncate ${pending}`,
  ]
}

/** Returns the query for the latest image of each key. It does not use `row_number()` over `rowid`,
 * because DuckDB 1.5 then returns no rows if `rowid` is selected too. */
export function latestImages(relation: string): string {
  const latest = `select max(rowid) from ${relation} group by k, key`
  return `select * from ${relation} where rowid in (${latest})`
}

/** Returns the statements that keep only the latest image of each key, in their own transaction. */
export function compactStatements(table: `${ImageKind}_image`): string[] {
  const stored = storageOf(table)
  const kept = `${table}_kept`
  return [
    `create or replace temp table ${kept} as ${latestImages(stored)}`,
    `drop table ${stored}`,
    keyedStatement(table),
    `insert into ${stored} select * from ${kept}`,
    `drop table ${kept}`,
  ]
}
