/**
 * Columns of a batch as they grow row by row: numbers, texts and dictionaries. A builder is used for
 * one batch after another: `take` returns the column and begins the next.
 */

import { UNIT_BYTES_MAX, type DictionaryColumn, type TextColumn } from '../base/columns.ts'
import { ByteHeap } from './byte-heap.ts'
import { sliceOf, type Slice } from './bytes.ts'
import { ByteDictionary } from './byte-dictionary.ts'

const ROWS_AT_FIRST = 1 << 10
/** Texts that a dictionary remembers from one batch to the next. */
const TEXTS_MAX = 1 << 17

export class FloatBuilder {
  #values = new Float64Array(ROWS_AT_FIRST)
  #count = 0

  push(value: number): void {
    if (this.#count === this.#values.length) {
      const larger = new Float64Array(2 * this.#count)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.#count] = value
    this.#count += 1
  }

  take(): Float64Array {
    const values = this.#values.slice(0, this.#count)
    this.#count = 0
    return values
  }
}

export class IntBuilder {
  #values = new Int32Array(ROWS_AT_FIRST)
  #count = 0

  push(value: number): void {
    if (this.#count === this.#values.length) {
      const larger = new Int32Array(2 * this.#count)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.#count] = value
    this.#count += 1
  }

  take(): Int32Array {
    const values = this.#values.slice(0, this.#count)
    this.#count = 0
    return values
  }
}

export class TextBuilder {
  readonly #heap = new ByteHeap()
  readonly #offsets = new IntBuilder()

  constructor() {
    this.#offsets.push(0)
  }

  /** Adds a row with a text. */
  pushText(text: string): void {
    this.#heap.reserve(text.length * UNIT_BYTES_MAX)
    this.#heap.putText(text)
    this.#offsets.push(this.#heap.end)
  }

  /** Adds a row with bytes, which are UTF-8. */
  pushBytes(slice: Slice): void {
    this.#heap.reserve(slice.to - slice.from)
    this.#heap.put(slice)
    this.#offsets.push(this.#heap.end)
  }

  /** Returns the column. Its bytes have a buffer of their own, which may be larger. */
  take(): TextColumn {
    const column = { bytes: this.#heap.take(), offsets: this.#offsets.take() }
    this.#offsets.push(0)
    return column
  }
}

/** A dictionary column whose values are made of texts, once for each distinct text. */
export class DictionaryBuilder {
  readonly #valueOf: (text: string) => string | null
  #texts = new ByteDictionary()
  /** By entry: its value; the last batch that has it; its code there. */
  #values: (string | null)[] = []
  #lastBatch: number[] = []
  #codeOf: number[] = []
  #batch = 0
  #used: string[] = []
  readonly #codes = new IntBuilder()

  /** `valueOf` makes the value of a text; null is absent. */
  constructor(valueOf: (text: string) => string | null = (text) => text) {
    this.#valueOf = valueOf
  }

  /** Returns the entry of a text, by its UTF-8 bytes; it is valid within this batch. */
  entry(text: Slice): number {
    const entry = this.#texts.entry(text)
    if (entry === this.#values.length) {
      const { bytes, from, to } = text
      this.#values.push(this.#valueOf(bytes.array.toString('utf8', from, to)))
      this.#lastBatch.push(-1)
      this.#codeOf.push(0)
    }
    return entry
  }

  /** Returns the value of an entry. */
  valueAt(entry: number): string | null {
    return this.#values[entry] as string | null
  }

  /** Adds a row with the value of an entry; -1 is absent. */
  pushEntry(entry: number): void {
    const value = entry < 0 ? null : (this.#values[entry] as string | null)
    if (value === null) {
      this.#codes.push(-1)
      return
    }
    if (this.#lastBatch[entry] !== this.#batch) {
      this.#lastBatch[entry] = this.#batch
      this.#codeOf[entry] = this.#used.push(value) - 1
    }
    this.#codes.push(this.#codeOf[entry] as number)
  }

  /** Adds a row with the value of a text; null is absent. */
  pushText(text: string | null): void {
    this.pushEntry(text === null ? -1 : this.entry(sliceOf(text)))
  }

  take(): DictionaryColumn {
    const column = { values: this.#used, codes: this.#codes.take() }
    this.#used = []
    this.#batch += 1
    if (this.#texts.size > TEXTS_MAX) {
      this.#texts = new ByteDictionary()
      this.#values = []
      this.#lastBatch = []
      this.#codeOf = []
    }
    return column
  }
}
