/**
 * Appends Arrow tables to DuckDB chunk by chunk, without creating a JavaScript object per value.
 *
 * A chunk is the appender's unit of at most 2,048 rows. Fixed-width columns are copied from the
 * Arrow buffers. A text in a DuckDB vector is an item of 16 bytes: its length, and either the text,
 * if it has at most 12 bytes, or its first four bytes and a pointer. Assigning texts one by one
 * takes a call each, which was half of the append time. Instead, all bytes of the chunk are
 * assigned as one text; its item contains the address at which DuckDB stored them. Then the items
 * of all rows, which point into it, are written with one copy.
 */

import { DuckDBDataChunk, type DuckDBAppender } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import type { Data, Table } from 'apache-arrow'
import { assert } from '../base/errors.ts'

const CHUNK_ROWS = 2_048
const INLINE_BYTES = 12
const ITEM_BYTES = 16
const TWO_TO_32 = 4_294_967_296

/** Value of an appender column that the table lacks, in every row: 64 bits, or null. */
export type Filling = bigint | null

/** Appends all rows of a table to an appender whose first columns are those of the table. */
export function appendTable(
  appender: DuckDBAppender,
  table: Table,
  fillings: readonly Filling[],
): void {
  const { columnCount } = appender
  const types = Array.from({ length: columnCount }, (_, c) => appender.columnType(c))
  assert(
    table.schema.fields.length + fillings.length === columnCount,
    `the appender has ${columnCount} columns`,
  )
  const chunk = DuckDBDataChunk.create(types)
  for (const batch of table.batches) {
    const writers = batch.data.children.map(writerOf)
    for (let from = 0; from < batch.numRows; from += CHUNK_ROWS) {
      const count = Math.min(CHUNK_ROWS, batch.numRows - from)
      chunk.reset()
      writers.forEach((write, c) =>
        write(duckdb.data_chunk_get_vector(chunk.chunk, c), from, count),
      )
      fillings.forEach((filling, i) => {
        const vector = duckdb.data_chunk_get_vector(chunk.chunk, writers.length + i)
        fill(vector, filling, count)
      })
      chunk.rowCount = count
      appender.appendDataChunk(chunk)
    }
  }
}

/** Writes rows `from` to `from + count` of a column into a vector. */
type Writer = (vector: duckdb.Vector, from: number, count: number) => void

function writerOf(data: Data): Writer {
  const write = valueWriterOf(data)
  if (data.nullCount === 0) return write
  return (vector, from, count) => {
    write(vector, from, count)
    writeValidity(data, vector, from, count)
  }
}

function valueWriterOf(data: Data): Writer {
  const { type, values } = data
  if (data.dictionary !== undefined) {
    return dictionaryWriter(data.dictionary.data[0] as Data, values as Int32Array)
  }
  switch (String(type)) {
    case 'Utf8':
    case 'Binary':
      return textWriter(values as Uint8Array, data.valueOffsets as Int32Array)
    case 'Bool':
      return booleanWriter(values as Uint8Array)
    case 'FixedSizeBinary[16]':
      return uuidWriter(values as Uint8Array)
    default:
      return wordWriter(values as BigInt64Array)
  }
}

/** Writes 64-bit columns, which Arrow and DuckDB store alike. */
function wordWriter(words: BigInt64Array): Writer {
  const { buffer, byteOffset } = words
  return (vector, from, count) =>
    duckdb.copy_data_to_vector(vector, 0, buffer as ArrayBuffer, byteOffset + from * 8, count * 8)
}

/** Writes UUIDs: 128-bit integers, little-endian, with the top bit flipped for sorting. */
function uuidWriter(bytes: Uint8Array): Writer {
  const items = new Uint8Array(CHUNK_ROWS * ITEM_BYTES)
  return (vector, from, count) => {
    for (let row = 0; row < count; row++) {
      const source = (from + row) * ITEM_BYTES
      const target = row * ITEM_BYTES
      for (let i = 0; i < ITEM_BYTES; i++) {
        items[target + i] = bytes[source + ITEM_BYTES - 1 - i] as number
      }
      items[target + 15] = (items[target + 15] as number) ^ 0x80
    }
    duckdb.copy_data_to_vector(vector, 0, items.buffer, 0, count * ITEM_BYTES)
  }
}

function booleanWriter(bits: Uint8Array): Writer {
  const bytes = new Uint8Array(CHUNK_ROWS)
  return (vector, from, count) => {
    for (let row = 0; row < count; row++) {
      const at = from + row
      bytes[row] = ((bits[at >> 3] as number) >> (at & 7)) & 1
    }
    duckdb.copy_data_to_vector(vector, 0, bytes.buffer, 0, count)
  }
}

function textWriter(bytes: Uint8Array, offsets: Int32Array): Writer {
  const items = new TextItems()
  return (vector, from, count) => {
    const start = offsets[from] as number
    const end = offsets[from + count] as number
    items.begin(vector, bytes.subarray(start, end))
    for (let row = 0; row < count; row++) {
      const at = (offsets[from + row] as number) - start
      items.set(row, at, (offsets[from + row + 1] as number) - start - at)
    }
    items.write(vector, count)
  }
}

function dictionaryWriter(data: Data, codes: Int32Array): Writer {
  const bytes = data.values as Uint8Array
  const offsets = data.valueOffsets as Int32Array
  const items = new TextItems()
  return (vector, from, count) => {
    let [least, most] = [data.length, -1]
    for (let row = from; row < from + count; row++) {
      const code = codes[row] as number
      if (code > most) most = code
      if (code >= 0 && code < least) least = code
    }
    const start = most < 0 ? 0 : (offsets[least] as number)
    items.begin(vector, bytes.subarray(start, most < 0 ? 0 : offsets[most + 1]))
    for (let row = 0; row < count; row++) {
      const code = codes[from + row] as number
      const at = code < 0 ? start : (offsets[code] as number)
      items.set(row, at - start, code < 0 ? 0 : (offsets[code + 1] as number) - at)
    }
    items.write(vector, count)
  }
}

/** Items of a vector whose texts are slices of one array of bytes. */
class TextItems {
  readonly #bytes = new Uint8Array(CHUNK_ROWS * ITEM_BYTES)
  readonly #words = new Uint32Array(this.#bytes.buffer)
  #texts: Uint8Array = new Uint8Array(0)
  #low = 0
  #high = 0

  /** Copies the bytes into the vector. */
  begin(vector: duckdb.Vector, texts: Uint8Array): void {
    this.#texts = texts
    if (texts.length <= INLINE_BYTES) return
    duckdb.vector_assign_string_element_len(vector, 0, texts)
    const home = duckdb.vector_get_data(vector, ITEM_BYTES).slice()
    const words = new Uint32Array(home.buffer)
    this.#low = words[2] as number
    this.#high = words[3] as number
  }

  set(row: number, at: number, length: number): void {
    const word = row * 4
    const texts = this.#texts
    const bytes = this.#bytes
    this.#words[word] = length
    const item = row * ITEM_BYTES + 4
    if (length > INLINE_BYTES) {
      for (let i = 0; i < 4; i++) bytes[item + i] = texts[at + i] as number
      const low = this.#low + at
      this.#words[word + 2] = low
      this.#words[word + 3] = this.#high + (low >= TWO_TO_32 ? 1 : 0)
      return
    }
    this.#words[word + 1] = 0
    this.#words[word + 2] = 0
    this.#words[word + 3] = 0
    for (let i = 0; i < length; i++) bytes[item + i] = texts[at + i] as number
  }

  write(vector: duckdb.Vector, count: number): void {
    duckdb.copy_data_to_vector(vector, 0, this.#bytes.buffer, 0, count * ITEM_BYTES)
  }
}

function fill(vector: duckdb.Vector, filling: Filling, count: number): void {
  if (filling === null) {
    writeBitmap(vector, new BigUint64Array(CHUNK_ROWS / 64), count)
    return
  }
  const words = new BigInt64Array(count).fill(filling)
  duckdb.copy_data_to_vector(vector, 0, words.buffer, 0, count * 8)
}

/** Copies the Arrow bitmap. `from` is a multiple of the chunk size, so it needs no shifting. */
function writeValidity(data: Data, vector: duckdb.Vector, from: number, count: number): void {
  const bitmap = data.nullBitmap as Uint8Array
  const bytes = new Uint8Array(CHUNK_ROWS / 8)
  bytes.set(bitmap.subarray(from >> 3, (from + count + 7) >> 3))
  writeBitmap(vector, new BigUint64Array(bytes.buffer), count)
}

function writeBitmap(vector: duckdb.Vector, bitmap: BigUint64Array, count: number): void {
  const byteCount = Math.ceil(count / 64) * 8
  duckdb.vector_ensure_validity_writable(vector)
  duckdb.copy_data_to_vector_validity(vector, 0, bitmap.buffer as ArrayBuffer, 0, byteCount)
}
