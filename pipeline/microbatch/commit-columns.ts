/** Columns of a commit: values of rows, and selected rows of a decoded batch, as Arrow takes them. */

import type { Table } from 'apache-arrow'
import { contentAt } from '../decode/content-builder.ts'
import type { DictionaryColumn, TextColumn } from '../base/columns.ts'
import { Hashes, Hashes64 } from '../base/hashes.ts'
import type { Texts } from '../base/texts.ts'
import { Doubles, Ints } from '../stages/growable-array.ts'
import { supersedeTable } from '../warehouse/arrow/arrow.ts'
import {
  SharedTexts,
  type CodedColumn,
  type ColumnData,
  type Uuids,
} from '../warehouse/arrow/pack.ts'
import type { Column, ColumnType } from '../warehouse/column.ts'
import { TABLES } from '../warehouse/tables.ts'
import { REASONS, type Supersedes } from './rows/changelog.ts'
import type { Rows, StoredColumn } from './rows/rows.ts'

/** Returns the texts of rows as one dictionary. */
export function sharedTexts(texts: Texts, all: readonly Rows[]): SharedTexts {
  const isUsed = new Uint8Array(texts.size)
  for (const { stored } of all) {
    for (const { type, store } of stored) {
      if (!(store instanceof Ints) || type === 'boolean') continue
      for (let row = 0; row < store.length; row++) {
        const code = store.at(row)
        if (code >= 0) isUsed[code] = 1
      }
    }
  }
  return SharedTexts.of(texts.column(isUsed))
}

/** Returns the columns of versioned rows. `texts` are those of the rows. */
export function columnsOf(rows: Rows, texts: SharedTexts): { [column: string]: ColumnData } {
  const keys: Uuids = { bytes: rows.keys.bytes() }
  const columns: { [column: string]: ColumnData } = { row_key: keys }
  const all: readonly Column[] = TABLES[rows.table].columns
  for (const { name, isKey } of all) if (isKey === true) columns[name] = keys
  for (const { name, type, store } of rows.stored) columns[name] = dataOf(type, store, texts)
  return columns
}

function dataOf(type: ColumnType, store: StoredColumn['store'], texts: SharedTexts): ColumnData {
  if (store instanceof Doubles) return store.values.subarray(0, store.length)
  if (store instanceof Hashes64) return store.values()
  if (store instanceof Hashes) return { bytes: store.bytes(), isNull: nullsOf(store) }
  const codes = store.values.subarray(0, store.length)
  return type === 'boolean' ? codes : { texts, codes }
}

function nullsOf(hashes: Hashes): Uint8Array {
  const isNull = new Uint8Array(hashes.length)
  for (let row = 0; row < isNull.length; row++) isNull[row] = hashes.isNull(row) ? 1 : 0
  return isNull
}

/** Returns the rows that supersede versions. */
export function supersedeRows({ keys, because }: Supersedes): Table {
  const codes = because.values.subarray(0, because.length)
  return supersedeTable({ bytes: keys.bytes() }, { values: REASONS, codes })
}

export function pickCodes(column: DictionaryColumn, rows: readonly number[]): DictionaryColumn {
  if (rows.length === column.codes.length) return column
  const codes = new Int32Array(rows.length)
  for (let i = 0; i < rows.length; i++) codes[i] = column.codes[rows[i] as number] as number
  return { values: column.values, codes }
}

export function pickNumbers(column: Float64Array, rows: readonly number[]): Float64Array {
  if (rows.length === column.length) return column
  const picked = new Float64Array(rows.length)
  for (let i = 0; i < rows.length; i++) picked[i] = column[rows[i] as number] as number
  return picked
}

/** Copies 64-bit hashes as words, because a BigInt a value costs more. */
export function pickHashes(column: BigUint64Array, rows: readonly number[]): BigUint64Array {
  if (rows.length === column.length) return column
  const from = new Int32Array(column.buffer, column.byteOffset, column.length * 2)
  const picked = new Int32Array(rows.length * 2)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number
    picked[2 * i] = from[2 * row] as number
    picked[2 * i + 1] = from[2 * row + 1] as number
  }
  return new BigUint64Array(picked.buffer)
}

/** Returns texts that few rows have as a dictionary. */
export function pickRare(
  texts: ReadonlyMap<number, string>,
  rows: readonly number[],
): DictionaryColumn {
  const codes = new Int32Array(rows.length).fill(-1)
  const values: string[] = []
  for (let i = 0; i < rows.length && texts.size > 0; i++) {
    const text = texts.get(rows[i] as number)
    if (text !== undefined) codes[i] = values.push(text) - 1
  }
  return { values, codes }
}

/** Returns a part of the content of rows. Nothing is copied. */
export function pickContent(
  texts: SharedTexts,
  rows: readonly number[],
  part: number,
): CodedColumn {
  const codes = new Int32Array(rows.length)
  for (let i = 0; i < rows.length; i++) codes[i] = contentAt(rows[i] as number, part)
  return { texts, codes }
}

/** Copies runs of consecutive rows at once: few rows of a batch are dropped. */
export function pickTexts(column: TextColumn, rows: readonly number[]): TextColumn {
  if (rows.length === column.offsets.length - 1) return column
  const offsets = new Int32Array(rows.length + 1)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number
    const length = (column.offsets[row + 1] as number) - (column.offsets[row] as number)
    offsets[i + 1] = (offsets[i] as number) + length
  }
  const bytes = new Uint8Array(offsets[rows.length] as number)
  for (let i = 0; i < rows.length;) {
    const first = rows[i] as number
    let count = 1
    while (rows[i + count] === first + count) count += 1
    const [from, to] = [column.offsets[first], column.offsets[first + count]]
    bytes.set(column.bytes.subarray(from, to), offsets[i])
    i += count
  }
  return { bytes, offsets }
}
