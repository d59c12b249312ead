/**
 * Counts the rows that an erasure would delete (`erase.ts`) without writing to the file, which may
 * be open for reading.
 *
 * The conditions are evaluated over temporary views that have the names of the stored tables: the
 * stored rows, those of the commit, and superseded versions ended. They exist within a transaction
 * that is rolled back.
 */

import { fillErased } from './erase.ts'
import { appendedRows } from './commit-rows.ts'
import type { DuckDBFile } from './file.ts'
import { allText } from './schema.ts'
import { INTERNAL, pendingOf, storageOf } from './stored-tables.ts'
import { erasedRows } from '../warehouse/erasure-sql.ts'
import { isImageTable } from '../warehouse/image-tables.ts'
import { isVersioned, type TableName } from '../warehouse/tables.ts'
import type { Commit, ErasedRows, Erasure } from '../warehouse/warehouse.ts'

/** Rolls back the transaction of a plan. */
class Planned extends Error {}

/** Returns how many rows per table would be deleted. Changes nothing. */
export async function planErasure(
  file: DuckDBFile,
  commit: Commit,
  erasure: Erasure,
): Promise<ErasedRows> {
  const counts: ErasedRows = {}
  const conditions = erasedRows(commit.batch)
  try {
    await file.transaction(async () => {
      const coming = await appendComing(file, commit)
      for (const [table] of conditions) {
        await file.run(`create temp view ${nameOf(table)} as ${afterCommit(table, coming)}`)
      }
      await fillErased(file, erasure)
      for (const [i, [table, condition]] of conditions.entries()) {
        const name = nameOf(table)
        const [found] = await file.query(
          `select count(*) as n from ${name} as base where ${condition}`,
        )
        const count = found?.['n'] as number
        if (count > 0) counts[table] = count
        // Later conditions read what remains.
        const isRead = conditions.slice(i + 1).some(([, later]) => later.includes(name))
        if (!isRead) continue
        await file.run(
          `create temp table ${name}_left as ` +
            `select * from ${name} as base where (${condition}) is not true`,
        )
        await file.run(`create or replace temp view ${name} as select * from ${name}_left`)
      }
      throw new Planned()
    })
  } catch (thrown) {
    if (!(thrown instanceof Planned)) throw thrown
  }
  return counts
}

/** Puts the rows of the commit into temporary tables. Returns their names by stored table. */
async function appendComing(
  file: DuckDBFile,
  commit: Commit,
): Promise<ReadonlyMap<string, string>> {
  const coming = new Map<string, string>()
  for (const { table, rows, fillings } of appendedRows(commit)) {
    const name = `coming_${unqualified(table)}`
    await file.run(`create temp table ${name} as from ${table} limit 0`)
    await file.append(name, rows, fillings)
    coming.set(table, name)
  }
  return coming
}

/** Returns the query for the rows of a table after the commit. */
function afterCommit(table: TableName, coming: ReadonlyMap<string, string>): string {
  const after = (stored: string) => {
    const name = coming.get(stored)
    return name === undefined ? stored : `(from ${stored} union all from ${name})`
  }
  const rows = after(storageOf(table))
  if (isVersioned(table)) return allText(table, rows, after(pendingOf(table)))
  if (!isImageTable(table)) return `from ${rows}`
  // Only the latest image of each key is kept.
  return `from ${rows} qualify row_number() over (partition by k, key order by recorded_by desc) = 1`
}

function nameOf(table: TableName): string {
  return unqualified(storageOf(table))
}

function unqualified(stored: string): string {
  return stored.slice(INTERNAL.length + 1)
}
