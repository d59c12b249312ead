/**
 * Arrow tables → DuckDB's appender, chunk by chunk, without a value ever becoming a JavaScript
 * object on the way.
 *
 * A chunk is what the appender takes at once, at most 2,048 rows. Fixed-width columns are copied
 * from the Arrow buffers as they are. A text in a DuckDB vector is 16 bytes: its length, and either
 * the text itself, if it has at most 12 bytes, or a pointer. The short ones are written as such in
 * one copy for the chunk; only the long ones cost a call each.
 */

import { DuckDBDataChunk, type DuckDBAppender } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import type { Data, Table } from 'apache-arrow'
import { assert } from './errors.ts'

const CHUNK_ROWS = 2_048
const INLINE_BYTES = 12
const ITEM_BYTES = 16

/** Appends all rows of `table` to an appender whose columns it begins with; `constants` are the
 * 64-bit values of the appender's remaining columns, null for null. */
export function appendTable(
  appender: DuckDBAppender,
  table: Table,
  constants: readonly (bigint | null)[],
): void {
  const { columnCount } = appender
  const types = Array.from({ length: columnCount }, (_, c) => appender.columnType(c))
  assert(
    table.schema.fields.length + constants.length === columnCount,
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
      constants.forEach((value, i) => {
        const vector = duckdb.data_chunk_get_vector(chunk.chunk, writers.length + i)
        writeConstant(vector, value, count)
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
    const texts = data.dictionary.toArray() as unknown as string[]
    return dictionaryWriter(texts, values as Int32Array)
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

/** 64-bit columns: Arrow and DuckDB lay them out alike. */
function wordWriter(words: BigInt64Array): Writer {
  const { buffer, byteOffset } = words
  return (vector, from, count) =>
    duckdb.copy_data_to_vector(vector, 0, buffer as ArrayBuffer, byteOffset + from * 8, count * 8)
}

/** A UUID is a 128-bit integer, little-endian, with its top bit flipped so that it sorts. */
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
  const items = new Uint8Array(CHUNK_ROWS * ITEM_BYTES)
  const lengths = new Int32Array(items.buffer)
  return (vector, from, count) => {
    items.fill(0, 0, count * ITEM_BYTES)
    const long: number[] = []
    for (let row = 0; row < count; row++) {
      const start = offsets[from + row] as number
      const length = (offsets[from + row + 1] as number) - start
      if (length > INLINE_BYTES) {
        long.push(row)
        continue
      }
      lengths[row * 4] = length
      for (let i = 0; i < length; i++) {
        items[row * ITEM_BYTES + 4 + i] = bytes[start + i] as number
      }
    }
    duckdb.copy_data_to_vector(vector, 0, items.buffer, 0, count * ITEM_BYTES)
    for (const row of long) {
      const text = bytes.subarray(offsets[from + row], offsets[from + row + 1])
      duckdb.vector_assign_string_element_len(vector, row, text)
    }
  }
}

function dictionaryWriter(texts: readonly string[], codes: Int32Array): Writer {
  const encoded = texts.map((text) => Buffer.from(text))
  const ready = new Uint8Array(texts.length * ITEM_BYTES)
  encoded.forEach((text, code) => {
    if (text.length > INLINE_BYTES) return
    ready[code * ITEM_BYTES] = text.length
    ready.set(text, code * ITEM_BYTES + 4)
  })
  const readyWords = new Int32Array(ready.buffer)
  const words = new Int32Array(CHUNK_ROWS * 4)
  return (vector, from, count) => {
    const long: number[] = []
    words.fill(0, 0, count * 4)
    for (let row = 0; row < count; row++) {
      const code = codes[from + row] as number
      if (code < 0) continue
      if ((encoded[code] as Buffer).length > INLINE_BYTES) long.push(row)
      for (let i = 0; i < 4; i++) words[row * 4 + i] = readyWords[code * 4 + i] as number
    }
    duckdb.copy_data_to_vector(vector, 0, words.buffer, 0, count * ITEM_BYTES)
    for (const row of long) {
      const text = encoded[codes[from + row] as number] as Buffer
      duckdb.vector_assign_string_element_len(vector, row, text)
    }
  }
}

function writeConstant(vector: duckdb.Vector, value: bigint | null, count: number): void {
  if (value === null) {
    writeBitmap(vector, new BigUint64Array(CHUNK_ROWS / 64), count)
    return
  }
  const words = new BigInt64Array(count).fill(value)
  duckdb.copy_data_to_vector(vector, 0, words.buffer, 0, count * 8)
}

/** `from` is a multiple of the chunk, so the Arrow bitmap can be taken as it is. */
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
