/**
 * Superseding rows that commits have appended to `_pending` tables. They are folded into the tables
 * that they supersede outside of batches, each table in a transaction of its own.
 *
 * A fold reads the whole table. On close, a table is therefore folded only if its pending rows are a
 * certain share of it: per superseded row, folds then cost the same however long the history.
 */

import type { DuckDBFile } from './file.ts'
import { foldStatements, pendingOf, storageOf } from './stored-tables.ts'
import { VERSIONED_NAMES, type VersionedName } from '../warehouse/tables.ts'

/** Pending rows of a table at which they are folded. */
const PENDING_MAX = 300_000
/** Rows of a table per pending row, up to which they are folded on close. */
const ROWS_PER_PENDING = 50

export class PendingRows {
  readonly #counts = new Map<VersionedName, number>()

  /** Counts the rows of a file that was opened. */
  async count(file: DuckDBFile): Promise<void> {
    const counts = await file.counts(VERSIONED_NAMES.map(pendingOf))
    for (const table of VERSIONED_NAMES) this.#counts.set(table, counts.get(pendingOf(table)) ?? 0)
  }

  /** Counts further rows of a table, and folds them at the limit. */
  async add(file: DuckDBFile, table: VersionedName, count: number): Promise<void> {
    const pending = (this.#counts.get(table) ?? 0) + count
    this.#counts.set(table, pending)
    if (pending > PENDING_MAX) await this.#fold(file, table)
  }

  /** Forgets the counts of a file that was rewritten without pending rows. */
  clear(): void {
    this.#counts.clear()
  }

  /** Folds the tables with many pending rows for their length. */
  async foldOnClose(file: DuckDBFile): Promise<void> {
    const pending = [...this.#counts].filter(([, count]) => count > 0)
    if (pending.length === 0) return
    const rows = await file.counts(pending.map(([table]) => storageOf(table)))
    for (const [table, count] of pending) {
      const isMany = count * ROWS_PER_PENDING >= (rows.get(storageOf(table)) ?? 0)
      if (isMany) await this.#fold(file, table)
    }
  }

  async #fold(file: DuckDBFile, table: VersionedName): Promise<void> {
    file.dropAppenders()
    await file.transaction(async () => {
      for (const statement of foldStatements(table)) await file.run(statement)
    })
    this.#counts.set(table, 0)
  }
}
