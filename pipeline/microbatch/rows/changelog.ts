/**
 * Changelog of the versioned tables: rows to insert, and keys of rows to supersede.
 */

import { Hashes } from '../../base/hashes.ts'
import type { Texts } from '../../base/texts.ts'
import { Ints } from '../../stages/growable-array.ts'
import { VERSIONED_NAMES, type VersionedName } from '../../warehouse/tables.ts'
import type { SupersededBecause } from '../../warehouse/warehouse.ts'
import { KeyIndex } from './key-index.ts'
import { Rows } from './rows.ts'

/** Reasons in the order of their codes. */
export const REASONS: SupersededBecause[] = ['progress', 'late_event', 'identity', 'rebuilt']

/** Keys of superseded rows, and why. */
export class Supersedes {
  readonly keys = new Hashes()
  /** Positions in `REASONS`. */
  readonly because = new Ints()

  get count(): number {
    return this.keys.length
  }

  /** Adds the key of a row. */
  add(keys: Hashes, row: number, because: SupersededBecause): void {
    this.keys.pushFrom(keys, row)
    this.because.push(REASONS.indexOf(because))
  }

  /** Adds a key that is the hash of a text. */
  addText(key: string, because: SupersededBecause): void {
    this.keys.push(key)
    this.because.push(REASONS.indexOf(because))
  }

  addAll(keys: Hashes, because: SupersededBecause): void {
    this.keys.reserve(keys.length)
    this.because.reserve(keys.length)
    for (let row = 0; row < keys.length; row++) this.add(keys, row, because)
  }

  /** Replaces all reasons. */
  setReason(because: SupersededBecause): void {
    this.because.values.fill(REASONS.indexOf(because))
  }

  addFrom(later: Supersedes): void {
    this.keys.reserve(later.count)
    this.because.reserve(later.count)
    for (let i = 0; i < later.count; i++) {
      this.keys.pushFrom(later.keys, i)
      this.because.push(later.because.at(i))
    }
  }
}

/** Changes of one versioned table. */
export type TableChange<T extends VersionedName = VersionedName> = {
  inserts: Rows<T>
  supersedes: Supersedes
}

/** Changes of the versioned tables by a batch or one of its steps. */
export class Changes {
  readonly texts: Texts
  readonly #tables = new Map<VersionedName, TableChange>()

  /** `texts` are those of the batch. */
  constructor(texts: Texts) {
    this.texts = texts
  }

  /** Returns the change of a table, empty at first. */
  of<T extends VersionedName>(table: T): TableChange<T> {
    let change = this.#tables.get(table) as TableChange<T> | undefined
    if (change === undefined) {
      change = { inserts: new Rows(table, this.texts), supersedes: new Supersedes() }
      this.#tables.set(table, change as TableChange)
    }
    return change
  }

  /** Inserts rows, which must not be changed afterwards. */
  insert(rows: Rows): void {
    const change = this.of(rows.table)
    if (change.inserts.count === 0) change.inserts = rows
    else change.inserts.addAll(rows)
  }

  /** Adds the changes of a later step, which must not be changed afterwards. */
  add(later: Changes): void {
    for (const [table, change] of later.#tables) {
      if (!this.#tables.has(table)) {
        this.#tables.set(table, change)
        continue
      }
      this.insert(change.inserts)
      this.of(table).supersedes.addFrom(change.supersedes)
    }
  }

  /** Changed tables in the order of the catalogue. */
  *[Symbol.iterator](): Generator<[table: VersionedName, change: TableChange]> {
    for (const table of VERSIONED_NAMES) {
      const change = this.#tables.get(table)
      if (change !== undefined) yield [table, change]
    }
  }
}

/** Reasons for superseding rows. Implementations are classes, the code of which V8 keeps. */
export interface Reason {
  /** Returns the reason for a row; `newRow` is -1 when no row replaces it. */
  of(row: number, newRow: number): SupersededBecause
}

/** Adds to `change` the difference from `before` to `after`; equal rows are unchanged. */
export function diff<T extends VersionedName>(
  before: Rows<T>,
  after: Rows<T>,
  { inserts, supersedes }: TableChange<T>,
  reason: Reason,
): void {
  const oldRows = new KeyIndex(before.keys)
  const added = new Ints()
  for (let row = 0; row < after.count; row++) {
    const oldRow = oldRows.take(after.keys, row)
    if (oldRow >= 0) {
      if (after.isSame(row, before, oldRow)) continue
      supersedes.add(before.keys, oldRow, reason.of(oldRow, row))
    }
    added.push(row)
  }
  inserts.addFrom(after, added.toArray())
  for (let row = 0; row < before.count; row++) {
    if (oldRows.isLeft(row)) supersedes.add(before.keys, row, reason.of(row, -1))
  }
}
