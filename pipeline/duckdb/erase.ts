/**
 * Deletes the rows of an erased person (`erasure-sql.ts`) from a DuckDB file, in the transaction
 * that has already appended the remaining rows.
 */

import { IMAGE_TABLES } from '../warehouse/image-tables.ts'
import type { DuckDBFile } from './file.ts'
import { compactStatements, foldStatements, storageOf } from './stored-tables.ts'
import { BELIEF, erasedRows, listsOf } from '../warehouse/erasure-sql.ts'
import { VERSIONED_NAMES } from '../warehouse/tables.ts'
import type { ErasedRows, Erasure } from '../warehouse/warehouse.ts'

/** Deletes the rows. Returns how many per table. */
export async function eraseRows(
  file: DuckDBFile,
  batch: number,
  erasure: Erasure,
): Promise<ErasedRows> {
  file.dropAppenders()
  for (const table of VERSIONED_NAMES) {
    for (const statement of foldStatements(table)) await file.run(statement)
  }
  const filled = await fillErased(file, erasure)
  for (const table of IMAGE_TABLES) {
    for (const statement of compactStatements(table)) await file.run(statement)
  }
  const counts: ErasedRows = {}
  for (const [table, condition] of erasedRows(batch)) {
    const [deleted] = await file.query(`delete from ${storageOf(table)} as base where ${condition}`)
    const count = deleted?.['Count'] as number
    if (count > 0) counts[table] = count
  }
  for (const name of filled) await file.run(`drop table ${name}`)
  return counts
}

/** Creates the temporary tables that the conditions read, in a transaction that has the rows of the
 * commit. Returns their names. */
export async function fillErased(file: DuckDBFile, erasure: Erasure): Promise<string[]> {
  const lists = listsOf(erasure)
  for (const [list, items] of lists) await fillList(file, `erased_${list}`, items)
  await fillDues(file, erasure.dues)
  await file.run(`create or replace temp table erased_belief as ${BELIEF}`)
  return [...lists.map(([list]) => list), 'due', 'belief'].map((name) => `erased_${name}`)
}

async function fillList(file: DuckDBFile, name: string, items: readonly string[]): Promise<void> {
  await file.run(`create or replace temp table ${name} (item varchar)`)
  await file.query(
    `insert into ${name} select unnest(from_json(cast($1 as json), '["VARCHAR"]'))`,
    [JSON.stringify(items)],
  )
}

/** Fills in the timers that profiles keep. */
async function fillDues(file: DuckDBFile, dues: Erasure['dues']): Promise<void> {
  await file.run('create or replace temp table erased_due (profile_id varchar, due bigint)')
  await file.query(
    'insert into erased_due select row.profile, row.due from (select unnest(from_json(' +
      `cast($1 as json), '[{"profile": "VARCHAR", "due": "BIGINT"}]')) as row)`,
    [JSON.stringify(dues)],
  )
}
