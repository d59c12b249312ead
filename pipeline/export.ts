/**
 * A public view to a file. Parquet and CSV are written by the embedded engine itself, Arrow from
 * the rows as they come; either way memory does not grow with the view. The file appears when it is
 * whole.
 */

import { open, rename, rm } from 'node:fs/promises'
import { readdirSync } from 'node:fs'
import { arrowFile, type AnswerColumn } from './arrow.ts'
import { messageOf, UserError } from './errors.ts'
import type { Warehouse } from './warehouse.ts'

const FOLDERS = ['views', 'analysis'].map((name) => new URL(`../sql/${name}/`, import.meta.url))

const OPTIONS: { [ending: string]: string | null } = {
  parquet: 'format parquet, compression zstd',
  csv: 'format csv, header',
  arrow: null,
}

/** The views anybody may read, by name. */
export function publicViews(): string[] {
  return FOLDERS.flatMap((folder) => readdirSync(folder))
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length))
    .sort()
}

/** Writes all rows of a view to a file whose name ends in a format's; returns how many. */
export async function exportView(
  warehouse: Warehouse,
  view: string,
  out: string,
): Promise<number> {
  checkExport(view, out)
  const options = OPTIONS[endingOf(out)] ?? null
  const part = `${out}.part`
  const copy = options === null ? copyArrow : copyByEngine
  try {
    await copy(warehouse, view, part, options ?? '')
    await rename(part, out)
  } catch (thrown) {
    await rm(part, { force: true })
    if (thrown instanceof UserError) throw thrown
    throw new UserError(`${out} could not be written: ${messageOf(thrown).split('\n')[0]}`)
  }
  const [counted] = await warehouse.query(`select count(*) as row_count from ${view}`)
  return counted?.['row_count'] as number
}

/** Throws a `UserError` when there is no such view or format. */
export function checkExport(view: string, out: string): void {
  const views = publicViews()
  if (!views.includes(view)) {
    throw new UserError(`--table ${view} is no public view; there is: ${views.join(', ')}`, 2)
  }
  if (Object.hasOwn(OPTIONS, endingOf(out))) return
  const endings = Object.keys(OPTIONS).map((ending) => `.${ending}`)
  throw new UserError(`--out ${out} ends in no known format: use ${endings.join(', ')}`, 2)
}

const endingOf = (out: string) => out.slice(out.lastIndexOf('.') + 1).toLowerCase()

async function copyByEngine(
  warehouse: Warehouse,
  view: string,
  path: string,
  options: string,
): Promise<void> {
  if (!warehouse.url.startsWith('duckdb:')) {
    throw new UserError(`${warehouse.url} writes no such file itself: export to .arrow`)
  }
  const quoted = `'${path.replaceAll("'", "''")}'`
  await warehouse.query(`copy (select * from ${view}) to ${quoted} (${options})`)
}

async function copyArrow(warehouse: Warehouse, view: string, path: string): Promise<void> {
  const columns = await columnsOf(warehouse, view)
  const file = await open(path, 'w')
  try {
    const rows = warehouse.stream(`select * from ${view}`)
    for await (const piece of arrowFile(columns, rows)) await file.write(piece)
  } finally {
    await file.close()
  }
}

/** The engines' names of types; what is not here goes out as text. */
const TYPES: { [name: string]: AnswerColumn['type'] } = {
  'TIMESTAMP WITH TIME ZONE': 'instant',
  TIMESTAMP: 'instant',
  TINYINT: 'integer',
  INTEGER: 'integer',
  BIGINT: 'integer',
  INT64: 'integer',
  HUGEINT: 'integer',
  BOOLEAN: 'boolean',
  BOOL: 'boolean',
  DOUBLE: 'number',
  FLOAT64: 'number',
  BLOB: 'bytes',
  BYTES: 'bytes',
}

async function columnsOf(warehouse: Warehouse, view: string): Promise<AnswerColumn[]> {
  const rows = await warehouse.query(
    `select column_name, data_type from information_schema.columns
     where table_name = '${view}' order by ordinal_position`,
  )
  return rows.map((row) => ({
    name: row['column_name'] as string,
    type: TYPES[row['data_type'] as string] ?? 'text',
  }))
}
