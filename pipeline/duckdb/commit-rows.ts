/** Rows of a commit by the table that they are appended to. */

import type { Table } from 'apache-arrow'
import type { Filling } from './append.ts'
import { pendingOf, storageOf } from './stored-tables.ts'
import { imageTable } from '../warehouse/image-tables.ts'
import { TABLES } from '../warehouse/tables.ts'
import type { Commit } from '../warehouse/warehouse.ts'

/** Rows, and the values of the columns that they lack. */
export type Appended = { table: string; rows: Table; fillings: readonly Filling[] }

/** Returns the rows in the order in which they are appended, with the qualified names of tables. */
export function appendedRows(commit: Commit): Appended[] {
  const stamp = [BigInt(commit.recordedAt), BigInt(commit.batch)]
  const current = [...stamp, null, null, null]
  return [
    ...[...commit.inserts].map(([table, rows]) => {
      const isVersioned = TABLES[table].kind === 'versioned'
      return { table: storageOf(table), rows, fillings: isVersioned ? current : stamp }
    }),
    ...[...commit.supersedes].map(([table, rows]) => {
      return { table: pendingOf(table), rows, fillings: stamp }
    }),
    ...[...commit.images].map(([kind, rows]) => {
      return { table: storageOf(imageTable(kind)), rows, fillings: stamp }
    }),
  ]
}
