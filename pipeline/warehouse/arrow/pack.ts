/**
 * Packs columns as Arrow data. Typed arrays are used without copying; plain values are packed once.
 */

import {
  Binary,
  Bool,
  Dictionary,
  FixedSizeBinary,
  Int32,
  Int64,
  makeData,
  TimestampMicrosecond,
  Uint64,
  Utf8,
  Vector,
  vectorFromArray,
  type Data,
} from 'apache-arrow'
import { textColumnOf, type DictionaryColumn, type TextColumn } from '../../base/columns.ts'
import { assert } from '../../base/errors.ts'
import type { ColumnType } from '../column.ts'

/** 16 bytes per row, big-endian; `isNull[row]` is 1 for null. */
export type Uuids = { bytes: Uint8Array; isNull?: Uint8Array }

/** Texts that columns and tables share as their dictionary. */
export class SharedTexts {
  readonly type = new Dictionary(new Utf8(), new Int32())
  readonly dictionary: Vector<Utf8>

  constructor(texts: Data<Utf8>) {
    this.dictionary = new Vector([texts])
  }

  static of({ bytes, offsets }: TextColumn): SharedTexts {
    return new SharedTexts(utf8Data(bytes, offsets, offsets.length - 1, undefined))
  }
}

/** Text of row i: that of `codes[i]`; code -1 means absent. */
export type CodedColumn = { texts: SharedTexts; codes: Int32Array }

/** Accepted forms of a column. NaN in a `Float64Array` is null; an `Int32Array` has booleans, 1 or 0. */
export type ColumnData =
  | readonly (string | number | boolean | null)[]
  | TextColumn
  | DictionaryColumn
  | CodedColumn
  | Float64Array
  | Int32Array
  | BigUint64Array
  | Uuids
  | Uint8Array[]

export function dataOf(type: ColumnType, given: ColumnData, count: number): Data {
  if ('codes' in given) return 'texts' in given ? codedData(given) : dictionaryData(given)
  if ('offsets' in given) return utf8Data(given.bytes, given.offsets, count, undefined)
  if ('bytes' in given) return uuidData(given, count)
  if (given instanceof BigUint64Array) {
    return makeData({ type: new Uint64(), length: count, data: given })
  }
  if (given instanceof Float64Array) return doubleData(type, given, count)
  if (given instanceof Int32Array) return bitData(given)
  assert(given.length === count, `a column of ${count} rows has ${given.length} values`)
  if (type === 'instant' || type === 'integer') return integerData(type, given, count)
  if (type === 'boolean') return vectorFromArray(given as boolean[], new Bool()).data[0] as Data
  if (type === 'bytes') return vectorFromArray(given as Uint8Array[], new Binary()).data[0] as Data
  return textData(given as (string | null)[])
}

function dictionaryData({ values, codes }: DictionaryColumn): Data {
  return codedData({ texts: new SharedTexts(textData(values)), codes })
}

function codedData({ texts, codes }: CodedColumn): Data {
  const nulls = new Nulls(codes.length)
  for (let row = 0; row < codes.length; row++) if ((codes[row] as number) < 0) nulls.add(row)
  const { type, dictionary } = texts
  return makeData({ type, length: codes.length, data: codes, ...nulls.validity, dictionary })
}

function bitData(given: Int32Array): Data {
  const data = new Uint8Array((given.length + 7) >> 3)
  for (let row = 0; row < given.length; row++) {
    if (given[row] === 1) data[row >> 3] = (data[row >> 3] as number) | (1 << (row & 7))
  }
  return makeData({ type: new Bool(), length: given.length, data, nullCount: 0 })
}

type Validity = { nullCount: number; nullBitmap?: Uint8Array }
const NO_NULLS: Validity = { nullCount: 0 }

/** Null bitmap of a column, made with its first null. */
export class Nulls {
  readonly #rowCount: number
  #count = 0
  #bitmap: Uint8Array | null = null

  constructor(rowCount: number) {
    this.#rowCount = rowCount
  }

  /** Adds a row, once. */
  add(row: number): void {
    this.#bitmap ??= new Uint8Array((this.#rowCount + 7) >> 3).fill(0xff)
    this.#bitmap[row >> 3] = (this.#bitmap[row >> 3] as number) & ~(1 << (row & 7))
    this.#count += 1
  }

  get validity(): Validity {
    return this.#bitmap === null ? NO_NULLS : { nullCount: this.#count, nullBitmap: this.#bitmap }
  }
}

const TWO_TO_32 = 4_294_967_296

/** Packs integers within 2^53 as 64 bits, in two halves, because a BigInt per value costs more. */
function integerData(type: ColumnType, given: ArrayLike<unknown>, count: number): Data {
  const words = new Int32Array(count * 2)
  const nulls = new Nulls(count)
  for (let row = 0; row < count; row++) {
    packInteger(words, row, (given[row] ?? 0) as number)
    if (given[row] === null) nulls.add(row)
  }
  return wordData(type, words, count, nulls.validity)
}

/** Packs integers, where NaN is null. */
function doubleData(type: ColumnType, given: Float64Array, count: number): Data {
  const words = new Int32Array(count * 2)
  const nulls = new Nulls(count)
  for (let row = 0; row < count; row++) {
    const value = given[row] as number
    if (value === value) packInteger(words, row, value)
    else nulls.add(row)
  }
  return wordData(type, words, count, nulls.validity)
}

function packInteger(words: Int32Array, row: number, value: number): void {
  const high = Math.floor(value / TWO_TO_32)
  words[row * 2] = value - high * TWO_TO_32
  words[row * 2 + 1] = high
}

function wordData(
  type: ColumnType,
  words: Int32Array<ArrayBuffer>,
  length: number,
  validity: Validity,
): Data {
  const data = new BigInt64Array(words.buffer)
  return type === 'instant'
    ? makeData({ type: new TimestampMicrosecond('UTC'), length, data, ...validity })
    : makeData({ type: new Int64(), length, data, ...validity })
}

export function uuidData({ bytes, isNull }: Uuids, count: number): Data {
  const nulls = new Nulls(count)
  if (isNull !== undefined) {
    for (let row = 0; row < count; row++) if (isNull[row] === 1) nulls.add(row)
  }
  return makeData({ type: new FixedSizeBinary(16), length: count, data: bytes, ...nulls.validity })
}

export function textData(texts: readonly (string | null)[]): Data<Utf8> {
  const { bytes, offsets } = textColumnOf(texts)
  const nulls = new Nulls(texts.length)
  for (let row = 0; row < texts.length; row++) if (texts[row] === null) nulls.add(row)
  return utf8Data(bytes, offsets, texts.length, nulls.validity)
}

function utf8Data(
  bytes: Uint8Array,
  offsets: Int32Array,
  count: number,
  validity: Validity | undefined,
): Data<Utf8> {
  return makeData({
    type: new Utf8(),
    length: count,
    data: bytes,
    valueOffsets: offsets,
    ...validity,
  })
}
