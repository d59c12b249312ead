/**
 * Appends Arrow tables to DuckDB chunk by chunk, without creating a JavaScript object per value.
 *
 * A chunk is the appender's unit of at most 2,048 rows. Fixed-width columns are copied from the
 * Arrow buffers. A text in a DuckDB vector is an item of 16 bytes (`text-items.ts`), so the texts of
 * a chunk are one copy of items. Those of a dictionary are made once for all columns, tables and
 * chunks that share it.
 */

import { DuckDBDataChunk, type DuckDBAppender } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import type { Data, Table, Utf8 } from 'apache-arrow'
import { assert } from '../base/errors.ts'
import { swapped } from '../base/hash.ts'
import { ITEM_BYTES, ITEM_WORDS, TextItems, type Dictionaries } from './text-items.ts'

const CHUNK_ROWS = 2_048

/** Values of a chunk on their way from a column to a vector. All writers of this thread share them: a
 * writer fills them and copies them to the vector in the same call. */
const ITEMS = new Int32Array(CHUNK_ROWS * ITEM_WORDS)
const TEXT_ITEMS = new TextItems(CHUNK_ROWS)
const BYTES = new Uint8Array(CHUNK_ROWS)
const NO_VALID_BITS = new BigUint64Array(CHUNK_ROWS / 64)

/** Value of an appender column that the table lacks, in every row: 64 bits, or null. */
export type Filling = bigint | null

/** Appends all rows of a table to an appender whose first columns are those of the table. */
export function appendTable(
  appender: DuckDBAppender,
  table: Table,
  fillings: readonly Filling[],
  dictionaries: Dictionaries,
): void {
  const { columnCount } = appender
  const types = Array.from({ length: columnCount }, (_, c) => appender.columnType(c))
  assert(
    table.schema.fields.length + fillings.length === columnCount,
    `the appender has ${columnCount} columns`,
  )
  const chunk = DuckDBDataChunk.create(types)
  const rowsMax = Math.min(CHUNK_ROWS, table.numRows)
  const filled = fillings.map((filling) =>
    filling === null ? null : new BigInt64Array(rowsMax).fill(filling),
  )
  for (const batch of table.batches) {
    const writers = batch.data.children.map((data) => writerOf(data, dictionaries))
    for (let from = 0; from < batch.numRows; from += CHUNK_ROWS) {
      const count = Math.min(CHUNK_ROWS, batch.numRows - from)
      chunk.reset()
      for (const [c, writer] of writers.entries()) {
        writer.write(duckdb.data_chunk_get_vector(chunk.chunk, c), from, count)
      }
      for (const [i, values] of filled.entries()) {
        fill(duckdb.data_chunk_get_vector(chunk.chunk, writers.length + i), values, count)
      }
      chunk.rowCount = count
      appender.appendDataChunk(chunk)
    }
  }
}

/** Writes rows `from` to `from + count` of a column into a vector. Writers are classes: V8 drops the
 * compiled code of a closure with the closure, and would compile it again for every table. */
type Writer = { write(vector: duckdb.Vector, from: number, count: number): void }

function writerOf(data: Data, dictionaries: Dictionaries): Writer {
  const writer = valueWriterOf(data, dictionaries)
  return data.nullCount === 0 ? writer : new NullableWriter(writer, data)
}

function valueWriterOf(data: Data, dictionaries: Dictionaries): Writer {
  const { type, values } = data
  if (data.dictionary !== undefined) {
    const texts = data.dictionary.data[0] as Data<Utf8>
    return new DictionaryWriter(dictionaries.itemsOf(texts), values as Int32Array)
  }
  switch (String(type)) {
    case 'Utf8':
    case 'Binary':
      return new TextWriter(values as Uint8Array, data.valueOffsets as Int32Array)
    case 'Bool':
      return new BooleanWriter(values as Uint8Array)
    case 'FixedSizeBinary[16]':
      return new UuidWriter(values as Uint8Array)
    default:
      return new WordWriter(values as BigInt64Array)
  }
}

class NullableWriter implements Writer {
  readonly #writer: Writer
  readonly #data: Data

  constructor(writer: Writer, data: Data) {
    this.#writer = writer
    this.#data = data
  }

  write(vector: duckdb.Vector, from: number, count: number): void {
    this.#writer.write(vector, from, count)
    writeValidity(this.#data, vector, from, count)
  }
}

/** Writes 64-bit columns, which Arrow and DuckDB store alike. */
class WordWriter implements Writer {
  readonly #words: BigInt64Array

  constructor(words: BigInt64Array) {
    this.#words = words
  }

  write(vector: duckdb.Vector, from: number, count: number): void {
    const { buffer, byteOffset } = this.#words
    const at = byteOffset + from * 8
    duckdb.copy_data_to_vector(vector, 0, buffer as ArrayBuffer, at, count * 8)
  }
}

const TOP_BIT = 0x80000000

/** Writes UUIDs: 128-bit integers, little-endian, with the top bit flipped for sorting. */
class UuidWriter implements Writer {
  readonly #words: Int32Array

  constructor(bytes: Uint8Array) {
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
  }

  write(vector: duckdb.Vector, from: number, count: number): void {
    const words = this.#words
    const items = ITEMS
    for (let row = 0; row < count; row++) {
      const source = (from + row) * ITEM_WORDS
      const target = row * ITEM_WORDS
      items[target] = swapped(words[source + 3] as number)
      items[target + 1] = swapped(words[source + 2] as number)
      items[target + 2] = swapped(words[source + 1] as number)
      items[target + 3] = swapped(words[source] as number) ^ TOP_BIT
    }
    duckdb.copy_data_to_vector(vector, 0, items.buffer, 0, count * ITEM_BYTES)
  }
}

class BooleanWriter implements Writer {
  readonly #bits: Uint8Array

  constructor(bits: Uint8Array) {
    this.#bits = bits
  }

  write(vector: duckdb.Vector, from: number, count: number): void {
    const bytes = BYTES
    for (let row = 0; row < count; row++) {
      const at = from + row
      bytes[row] = ((this.#bits[at >> 3] as number) >> (at & 7)) & 1
    }
    duckdb.copy_data_to_vector(vector, 0, bytes.buffer, 0, count)
  }
}

/** Writes texts that are in one place only. The bytes of a chunk are assigned as one text. */
class TextWriter implements Writer {
  readonly #bytes: Uint8Array
  readonly #offsets: Int32Array

  constructor(bytes: Uint8Array, offsets: Int32Array) {
    this.#bytes = bytes
    this.#offsets = offsets
  }

  write(vector: duckdb.Vector, from: number, count: number): void {
    const start = this.#offsets[from] as number
    const end = this.#offsets[from + count] as number
    const texts = this.#bytes.subarray(start, end)
    TEXT_ITEMS.assign(vector, 0, texts)
    TEXT_ITEMS.fill(texts, this.#offsets, from, count)
    TEXT_ITEMS.write(vector, count)
  }
}

/** Writes texts of a dictionary by copying its items. */
class DictionaryWriter implements Writer {
  readonly #texts: Int32Array
  readonly #codes: Int32Array

  constructor(texts: Int32Array, codes: Int32Array) {
    this.#texts = texts
    this.#codes = codes
  }

  write(vector: duckdb.Vector, from: number, count: number): void {
    const texts = this.#texts
    const codes = this.#codes
    const items = ITEMS
    for (let row = 0; row < count; row++) {
      const code = codes[from + row] as number
      const target = row * ITEM_WORDS
      if (code < 0) {
        items.fill(0, target, target + ITEM_WORDS)
        continue
      }
      const source = code * ITEM_WORDS
      items[target] = texts[source] as number
      items[target + 1] = texts[source + 1] as number
      items[target + 2] = texts[source + 2] as number
      items[target + 3] = texts[source + 3] as number
    }
    duckdb.copy_data_to_vector(vector, 0, items.buffer, 0, count * ITEM_BYTES)
  }
}

/** Writes the same value into all rows; `values` has it once a row, or is null. */
function fill(vector: duckdb.Vector, values: BigInt64Array | null, count: number): void {
  if (values === null) writeBitmap(vector, NO_VALID_BITS, count)
  else duckdb.copy_data_to_vector(vector, 0, values.buffer as ArrayBuffer, 0, count * 8)
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
