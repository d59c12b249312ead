/**
 * Rows of a versioned table as typed columns, by the table catalogue: texts as codes of the batch's
 * `Texts`, instants and integers as numbers, ids as words of their hashes. No row is an object.
 */

import { Hashes, Hashes64 } from '../../base/hashes.ts'
import type { Texts } from '../../base/texts.ts'
import { Doubles, Ints } from '../../stages/growable-array.ts'
import type { Column, ColumnType } from '../../warehouse/column.ts'
import { TABLES, type VersionedName } from '../../warehouse/tables.ts'
import { rowsFrom } from '../row-groups.ts'

/** Form of a column by its type. Code -1 and NaN are null; booleans are 1 or 0. */
type StoredAs = {
  text: Ints
  json: Ints
  boolean: Ints
  instant: Doubles
  integer: Doubles
  uuid: Hashes
  hash64: Hashes64
  bytes: never
}

/** Columns that are not the key itself. */
type Own<T extends VersionedName> = Exclude<
  (typeof TABLES)[T]['columns'][number],
  { name: 'row_key' } | { isKey: true }
>

export type RowColumns<T extends VersionedName> = T extends VersionedName
  ? { readonly [C in Own<T> as C['name']]: StoredAs[C['type']] }
  : never

export type StoredColumn = { name: string; type: ColumnType; store: StoredAs[ColumnType] }

export class Rows<T extends VersionedName = VersionedName> {
  readonly table: T
  readonly texts: Texts
  /** Row keys: hashes. Rows with the same key are versions of one row. */
  readonly keys = new Hashes()
  /** By name, without those that are the key. A row is added by adding to `keys` and to each. */
  readonly columns: RowColumns<T>
  /** The same in the order of the table. */
  readonly stored: readonly StoredColumn[]

  /** `expected` is the number of rows that will be added, about. */
  constructor(table: T, texts: Texts, expected = 0) {
    this.table = table
    this.texts = texts
    this.stored = ownColumns(table).map(({ name, type }) => ({ name, type, store: storeOf(type) }))
    this.columns = Object.fromEntries(
      this.stored.map(({ name, store }) => [name, store]),
    ) as RowColumns<T>
    this.reserve(expected)
  }

  /** Makes room for so many more rows. */
  reserve(count: number): void {
    this.keys.reserve(count)
    for (const { store } of this.stored) store.reserve(count)
  }

  get count(): number {
    return this.keys.length
  }

  /** Copies rows of the same table and texts. */
  addFrom(other: Rows<T>, rows: ArrayLike<number>): void {
    this.reserve(rows.length)
    for (let i = 0; i < rows.length; i++) this.keys.pushFrom(other.keys, rows[i] as number)
    this.stored.forEach(({ store }, c) => {
      copy(other.stored[c]?.store as StoredAs[ColumnType], rows, store)
    })
  }

  addAll(other: Rows<T>): void {
    this.addFrom(other, rowsFrom(0, other.count))
  }

  /** Returns whether two rows of the same table and texts have the same values, keys aside. */
  isSame(row: number, other: Rows<T>, rowOfOther: number): boolean {
    for (let c = 0; c < this.stored.length; c++) {
      const { type, store } = this.stored[c] as StoredColumn
      const others = (other.stored[c] as StoredColumn).store
      if (!this.#isSameValue(type, store, row, others, rowOfOther)) return false
    }
    return true
  }

  #isSameValue(
    type: ColumnType,
    a: StoredAs[ColumnType],
    row: number,
    b: StoredAs[ColumnType],
    rowOfB: number,
  ): boolean {
    if (a instanceof Ints) {
      const one = a.at(row)
      const two = (b as Ints).at(rowOfB)
      return one === two || (type !== 'boolean' && this.texts.isSame(one, two))
    }
    if (a instanceof Doubles) return Object.is(a.at(row), (b as Doubles).at(rowOfB))
    if (a instanceof Hashes) return a.isSame(row, b as Hashes, rowOfB)
    return a.isSame(row, b as Hashes64, rowOfB)
  }
}

function ownColumns(table: VersionedName): readonly Column[] {
  const columns: readonly Column[] = TABLES[table].columns
  return columns.filter(({ name, isKey }) => name !== 'row_key' && isKey !== true)
}

function storeOf(type: ColumnType): StoredAs[ColumnType] {
  if (type === 'instant' || type === 'integer') return new Doubles()
  if (type === 'uuid') return new Hashes()
  return type === 'hash64' ? new Hashes64() : new Ints()
}

function copy(from: StoredAs[ColumnType], rows: ArrayLike<number>, to: StoredAs[ColumnType]): void {
  if (to instanceof Ints) {
    for (let i = 0; i < rows.length; i++) to.push((from as Ints).at(rows[i] as number))
  } else if (to instanceof Doubles) {
    for (let i = 0; i < rows.length; i++) to.push((from as Doubles).at(rows[i] as number))
  } else if (to instanceof Hashes) {
    for (let i = 0; i < rows.length; i++) to.pushFrom(from as Hashes, rows[i] as number)
  } else {
    for (let i = 0; i < rows.length; i++) to.pushFrom(from as Hashes64, rows[i] as number)
  }
}
