/**
 * Texts as DuckDB vectors have them: items of 16 bytes. An item is the length of the text, and either
 * the text, if it has at most 12 bytes, or its first four bytes and a pointer.
 *
 * Assigning texts one by one takes a call each, which was half of the append time. Instead, many are
 * assigned as one text; its item has the address at which DuckDB stored them. The items of all of them
 * point into it.
 */

import { BLOB, DuckDBDataChunk } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import type { Data, Utf8 } from 'apache-arrow'
import { assert } from '../base/errors.ts'

const INLINE_BYTES = 12
export const ITEM_BYTES = 16
/** 32-bit words of an item. */
export const ITEM_WORDS = 4
const TWO_TO_32 = 4_294_967_296

/** Items whose texts are slices of one array of bytes. */
export class TextItems {
  readonly words: Int32Array<ArrayBuffer>
  readonly #bytes: Uint8Array
  #low = 0
  #high = 0

  constructor(count: number) {
    this.words = new Int32Array(count * ITEM_WORDS)
    this.#bytes = new Uint8Array(this.words.buffer)
  }

  /** Copies the bytes to a vector, as its item at `slot`. They are valid until it is reset. */
  assign(vector: duckdb.Vector, slot: number, texts: Uint8Array): void {
    if (texts.length <= INLINE_BYTES) return
    duckdb.vector_assign_string_element_len(vector, slot, texts)
    const address = slot * ITEM_BYTES + 8
    const items = duckdb.vector_get_data(vector, address + 8)
    const view = new DataView(items.buffer, items.byteOffset, items.length)
    this.#low = view.getUint32(address, true)
    this.#high = view.getUint32(address + 4, true)
  }

  /** Makes the items of `count` texts. `texts` are those that were assigned, and begin with the first
   * of these. */
  fill(texts: Uint8Array, offsets: Int32Array, from: number, count: number): void {
    const { words } = this
    const bytes = this.#bytes
    const start = offsets[from] as number
    let at = 0
    for (let i = 0; i < count; i++) {
      const next = (offsets[from + i + 1] as number) - start
      const length = next - at
      const word = i * ITEM_WORDS
      const item = i * ITEM_BYTES + 4
      words[word] = length
      if (length > INLINE_BYTES) {
        for (let b = 0; b < 4; b++) bytes[item + b] = texts[at + b] as number
        const low = this.#low + at
        words[word + 2] = low
        words[word + 3] = this.#high + (low >= TWO_TO_32 ? 1 : 0)
      } else {
        words[word + 1] = 0
        words[word + 2] = 0
        words[word + 3] = 0
        for (let b = 0; b < length; b++) bytes[item + b] = texts[at + b] as number
      }
      at = next
    }
  }

  /** Copies the first items to a vector. */
  write(vector: duckdb.Vector, count: number): void {
    duckdb.copy_data_to_vector(vector, 0, this.words.buffer, 0, count * ITEM_BYTES)
  }
}

/**
 * Items of dictionaries, made once for all tables that share one. DuckDB copies the texts of appended
 * rows, so the items are needed until the last row is appended, and not until it is flushed.
 */
export class Dictionaries {
  readonly #items = new Map<Data<Utf8>, Int32Array>()
  /** Has the bytes of each dictionary as a text; created with the first. */
  #home: DuckDBDataChunk | null = null

  itemsOf(dictionary: Data<Utf8>): Int32Array {
    const known = this.#items.get(dictionary)
    if (known !== undefined) return known
    const { values, valueOffsets: offsets, length } = dictionary
    assert(this.#items.size < duckdb.vector_size(), 'each dictionary has a place')
    this.#home ??= DuckDBDataChunk.create([BLOB])
    const vector = duckdb.data_chunk_get_vector(this.#home.chunk, 0)
    const items = new TextItems(length)
    const texts = values.subarray(offsets[0], offsets[length])
    items.assign(vector, this.#items.size, texts)
    items.fill(texts, offsets, 0, length)
    this.#items.set(dictionary, items.words)
    return items.words
  }

  /** Frees the bytes. No item may be used afterwards. */
  close(): void {
    this.#home?.reset()
    this.#items.clear()
  }
}
