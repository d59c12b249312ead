/** Columns of a commit: values of rows, and selected rows of a decoded batch, as Arrow takes them. */

import type { CodedColumn, ColumnData, SharedTexts, Uuids } from '../warehouse/arrow/pack.ts'
import { contentAt } from '../decode/content-builder.ts'
import type { DictionaryColumn, TextColumn } from '../base/columns.ts'
import { hashes64, hashHalves, writeHash } from '../base/hash.ts'
import { repeatedTexts } from '../warehouse/repeated-texts.ts'
import type { Rows, Value } from './changelog.ts'
import { TABLES, type VersionedName } from '../warehouse/tables.ts'

/** Public ids that are the hash of the row's own key. */
const OWN_IDS: { [T in VersionedName]?: string } = {
  transition: 'transition_id',
  state: 'state_id',
  cycle: 'cycle_id',
  funnel_attempt: 'attempt_id',
}

/** Returns the columns of versioned rows, with uuid and hash64 columns hashed. `rowKeys` are the
 * hashes of the rows' keys. */
export function columnsOf(rows: Rows, rowKeys: Uuids): { [column: string]: ColumnData } {
  const columns: { [column: string]: ColumnData } = { row_key: rowKeys }
  TABLES[rows.table].columns.slice(1).forEach((column, c) => {
    const values = rows.columns[c] as Value[]
    columns[column.name] =
      column.type === 'uuid'
        ? column.name === OWN_IDS[rows.table]
          ? rowKeys
          : hashed(values as (string | null)[])
        : column.type === 'hash64'
          ? hashes64(values as string[])
          : column.type === 'text'
            ? repeatedTexts(values as (string | null)[])
            : (values as ColumnData)
  })
  return columns
}

/** Texts and their 128-bit hashes, as words. */
export type Hashed = { texts: readonly (string | null)[]; hashes: Int32Array }

/** Returns the 128-bit hashes of texts. Those of the row before are taken over for an equal text, and
 * those of the same row of `like`. */
export function hashed(texts: readonly (string | null)[], like?: Hashed): Uuids {
  const words = new Int32Array(texts.length * 4)
  const isNull = new Uint8Array(texts.length)
  let last: string | null = null
  for (let row = 0; row < texts.length; row++) {
    const text = texts[row] as string | null
    const at = row * 4
    if (text === null) isNull[row] = 1
    else if (text === last) words.copyWithin(at, at - 4, at)
    else if (text === like?.texts[row]) words.set(like.hashes.subarray(at, at + 4), at)
    else {
      hashHalves(text)
      writeHash(words, at)
    }
    last = text
  }
  return { bytes: new Uint8Array(words.buffer), isNull }
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
