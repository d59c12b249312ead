/** Column shapes that decoding, the stages and Arrow share. */

import { assert } from './errors.ts'

/** Text of row i: UTF-8 bytes from `offsets[i]` to `offsets[i + 1]`. */
export type TextColumn = { bytes: Uint8Array; offsets: Int32Array }

const UTF8 = new TextDecoder()

/** Returns the text of a row. */
export function textAt({ bytes, offsets }: TextColumn, row: number): string {
  return UTF8.decode(bytes.subarray(offsets[row], offsets[row + 1]))
}

/** Encodes texts; null becomes an empty text. */
export function textColumnOf(texts: readonly (string | null)[]): TextColumn {
  const column = new TextColumnBuilder(texts.length)
  for (const text of texts) column.push(text ?? '')
  return column.build()
}

const BYTES_A_TEXT = 32
/** Most bytes of a UTF-16 unit as UTF-8. */
export const UNIT_BYTES_MAX = 3
const ENCODER = new TextEncoder()

/** Encodes texts one after another. Most are short and ASCII, so a loop encodes them; a call takes
 * longer, and joining them first makes a string of all. */
export class TextColumnBuilder {
  readonly #offsets: Int32Array
  #count = 0
  #bytes: Uint8Array<ArrayBuffer>
  #end = 0

  /** `count` is the number of texts that will be pushed. */
  constructor(count: number) {
    this.#offsets = new Int32Array(count + 1)
    this.#bytes = new Uint8Array(count * BYTES_A_TEXT)
  }

  push(text: string): void {
    const needed = this.#end + text.length * UNIT_BYTES_MAX
    if (needed > this.#bytes.length) this.#grow(needed)
    const bytes = this.#bytes
    const at = this.#end
    let i = 0
    while (i < text.length) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) break
      bytes[at + i] = unit
      i += 1
    }
    const isAscii = i === text.length
    assert(isAscii || text.isWellFormed(), 'texts are well-formed UTF-16')
    this.#end += isAscii ? i : ENCODER.encodeInto(text, bytes.subarray(at)).written
    this.#count += 1
    this.#offsets[this.#count] = this.#end
  }

  build(): TextColumn {
    return { bytes: this.#bytes.subarray(0, this.#end), offsets: this.#offsets }
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
    larger.set(this.#bytes.subarray(0, this.#end))
    this.#bytes = larger
  }
}

/** Value of row i: `values[codes[i]]`; code -1 means absent. */
export type DictionaryColumn = { values: string[]; codes: Int32Array }
