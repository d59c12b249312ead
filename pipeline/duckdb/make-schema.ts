/** Creates the schema of a DuckDB file, and rejects a file with another schema. */

import type { DuckDBFile } from './file.ts'
import { FIRST_LAYOUT, schema, STAMP } from './schema.ts'
import { COLUMNS, otherTable } from './stored-tables.ts'
import { messageOf, UserError } from '../base/errors.ts'
import { LOAD_AGAIN, noWarehouse } from '../warehouse/head.ts'
import type { IfMissing } from '../warehouse/warehouse.ts'

/** Number of the current layout. Layout 1 had all tables in the schema `main`. */
const LAYOUT = 2

/**
 * Creates missing tables and views. Skips a file that has this schema already, because creating it
 * takes longer than most queries. Throws a `UserError`, without changing the file, if it has tables
 * of another layout or of another program. A warehouse in memory gets no comments, because writing
 * them takes half as long as everything else.
 */
export async function makeSchema(
  file: DuckDBFile,
  path: string,
  ifMissing: IfMissing,
): Promise<void> {
  const { hash, statements, comments } = schema()
  const [found] = await file.query(STAMP)
  if (found?.['hash'] === hash) return
  try {
    await refuseOthers(file, path)
    if (found === undefined && ifMissing === 'refuse') throw noWarehouse(`duckdb:${path}`)
    const lasting = path === ':memory:' ? [] : comments
    await file.transaction(() => file.run([...statements, ...lasting].join(';\n')))
  } catch (thrown) {
    file.close()
    const message = messageOf(thrown)
    if (!message.startsWith('Catalog Error') && !message.startsWith('Binder Error')) throw thrown
    throw new UserError(
      `${path} contains tables of another program with the same names: ` +
        `${message.split('\n')[0]}; choose another --warehouse`,
    )
  }
}

/** Rejects a file whose tables have other columns; stored rows are not converted. */
async function refuseOthers(file: DuckDBFile, path: string): Promise<void> {
  const [first] = await file.query(FIRST_LAYOUT)
  if (first !== undefined) {
    throw new UserError(
      `${path} has tables of layout 1, and this version of the program reads layout ${LAYOUT}: ` +
        LOAD_AGAIN,
    )
  }
  const rows = await file.query(COLUMNS)
  const columns = rows.map((row) => [row['name'] as string, row['columns'] as string] as const)
  const table = otherTable(new Map(columns))
  if (table === null) return
  throw new UserError(
    `${path} was created by another version of this program, with other columns in ${table}: ` +
      LOAD_AGAIN,
  )
}
