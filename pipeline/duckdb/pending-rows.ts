/**
 * Superseding rows that commits have appended to `_pending` tables. They are folded into the tables
 * that they supersede outside of batches, each table in a transaction of its own.
 *
 * A fold reads the whole table, and updates most of its pages. A table is therefore folded only if its
 * pending rows are a certain share of it: per superseded row, folds then cost the same however long the
 * history.
 */

import type { DuckDBFile } from './file.ts'
import { foldStatements, pendingOf, storageOf } from './stored-tables.ts'
import { VERSIONED_NAMES, type VersionedName } from '../warehouse/tables.ts'

/** Fewer pending rows of a table are folded on close only. */
const PENDING_MAX = 300_000
/** Rows of a table per pending row, up to which they are folded. A query joins what is pending, so the
 * next process begins with little of it. During a run, folds delay commits. */
const ROWS_PER_PENDING = { running: 10, closing: 50 }

export class PendingRows {
  readonly #counts = new Map<VersionedName, number>()

  /** Counts the rows of a file that was opened. */
  async count(file: DuckDBFile): Promise<void> {
    const counts = await file.counts(VERSIONED_NAMES.map(pendingOf))
    for (const table of VERSIONED_NAMES) this.#counts.set(table, counts.get(pendingOf(table)) ?? 0)
  }

  /** Counts further rows of a table, and folds them if they are many. */
  async add(file: DuckDBFile, table: VersionedName, count: number): Promise<void> {
    const pending = (this.#counts.get(table) ?? 0) + count
    this.#counts.set(table, pending)
    if (pending <= PENDING_MAX) return
    const rows = await file.counts([storageOf(table)])
    if (isMany(pending, rows.get(storageOf(table)), 'running')) await this.#fold(file, table)
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
      if (isMany(count, rows.get(storageOf(table)), 'closing')) await this.#fold(file, table)
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

/** Returns whether pending rows are many for the rows of their table. */
function isMany(pending: number, rows = 0, moment: keyof typeof ROWS_PER_PENDING): boolean {
  return pending * ROWS_PER_PENDING[moment] >= rows
}
