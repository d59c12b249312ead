/**
 * Superseding rows that commits have appended to `_pending` tables. They are folded into the tables
 * that they supersede outside of batches, each table in a transaction of its own.
 */

import type { DuckDBFile } from './file.ts'
import { foldStatements, pendingOf } from './stored-tables.ts'
import { VERSIONED_NAMES, type VersionedName } from '../warehouse/tables.ts'

/** Pending rows of a table at which they are folded. */
const PENDING_MAX = 300_000

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

  async foldAll(file: DuckDBFile): Promise<void> {
    for (const [table, count] of this.#counts) if (count > 0) await this.#fold(file, table)
  }

  async #fold(file: DuckDBFile, table: VersionedName): Promise<void> {
    file.dropAppenders()
    await file.transaction(async () => {
      for (const statement of foldStatements(table)) await file.run(statement)
    })
    this.#counts.set(table, 0)
  }
}
