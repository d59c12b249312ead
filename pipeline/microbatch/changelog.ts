/**
 * Changelog of the versioned tables: rows to insert, and keys of rows to supersede.
 *
 * Rows are plain arrays by column. Rows with the same key are versions of one row. A uuid or hash64
 * column contains the text to be hashed: rows are compared by text, and only written rows are
 * hashed.
 */

import { TABLES, VERSIONED_NAMES, type VersionedName } from '../warehouse/tables.ts'
import type { SupersededBecause } from '../warehouse/warehouse.ts'

export type Value = string | number | boolean | null

/** A row's values, in the order of the table's columns without `row_key`. */
export type RowValues = readonly Value[]

export class Rows {
  readonly table: VersionedName
  /** Texts that are hashed to `row_key`. */
  readonly keys: string[] = []
  /** By column, in the order of the table's columns without `row_key`. */
  readonly columns: Value[][]

  constructor(table: VersionedName) {
    this.table = table
    this.columns = TABLES[table].columns.slice(1).map(() => [])
  }

  get count(): number {
    return this.keys.length
  }

  add(key: string, values: RowValues): void {
    this.keys.push(key)
    for (let c = 0; c < values.length; c++) (this.columns[c] as Value[]).push(values[c] as Value)
  }

  addFrom(other: Rows, row: number): void {
    this.keys.push(other.keys[row] as string)
    for (let c = 0; c < this.columns.length; c++) {
      this.columns[c]?.push(other.columns[c]?.[row] as Value)
    }
  }

  addAll(other: Rows): void {
    for (let row = 0; row < other.count; row++) this.addFrom(other, row)
  }

  /** Returns the values of a column by name. */
  column(name: string): Value[] {
    const at = TABLES[this.table].columns.findIndex((column) => column.name === name) - 1
    return this.columns[at] as Value[]
  }
}

/** Changes of one versioned table. */
export type TableChange = {
  inserts: Rows
  supersedes: { keys: string[]; because: SupersededBecause[] }
}

/** Changes of the versioned tables by a batch or one of its steps. */
export class Changes {
  readonly #tables = new Map<VersionedName, TableChange>()

  /** Returns the change of a table, empty at first. */
  of(table: VersionedName): TableChange {
    let change = this.#tables.get(table)
    if (change === undefined) {
      change = { inserts: new Rows(table), supersedes: { keys: [], because: [] } }
      this.#tables.set(table, change)
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
      const { supersedes } = this.of(table)
      for (const key of change.supersedes.keys) supersedes.keys.push(key)
      for (const because of change.supersedes.because) supersedes.because.push(because)
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

/** Reason for superseding a row; `newRow` is -1 when no row replaces it. */
export type Reason = (before: Rows, row: number, after: Rows, newRow: number) => SupersededBecause

/** Adds to `change` the difference from `before` to `after`; equal rows are unchanged. */
export function diff(before: Rows, after: Rows, change: TableChange, reason: Reason): void {
  const oldRows = new Map<string, number>()
  for (let row = 0; row < before.count; row++) oldRows.set(before.keys[row] as string, row)
  const supersede = (key: string, row: number, newRow: number) => {
    change.supersedes.keys.push(key)
    change.supersedes.because.push(reason(before, row, after, newRow))
  }
  for (let row = 0; row < after.count; row++) {
    const key = after.keys[row] as string
    const oldRow = oldRows.get(key)
    if (oldRow !== undefined) {
      oldRows.delete(key)
      if (isSame(before, oldRow, after, row)) continue
      supersede(key, oldRow, row)
    }
    change.inserts.addFrom(after, row)
  }
  for (const [key, row] of oldRows) supersede(key, row, -1)
}

function isSame(a: Rows, rowOfA: number, b: Rows, rowOfB: number): boolean {
  for (let c = 0; c < a.columns.length; c++) {
    if (a.columns[c]?.[rowOfA] !== b.columns[c]?.[rowOfB]) return false
  }
  return true
}
