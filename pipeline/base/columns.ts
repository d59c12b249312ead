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
  let units = 0
  for (const text of texts) units += text?.length ?? 0
  const column = new TextColumnBuilder(texts.length, units)
  for (const text of texts) column.push(text ?? '')
  return column.build()
}

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

  /** `count` texts will be pushed. They have `units` UTF-16 units, as many bytes if they are ASCII. */
  constructor(count: number, units: number) {
    this.#offsets = new Int32Array(count + 1)
    this.#bytes = new Uint8Array(units)
  }

  push(text: string): void {
    const at = this.#end
    if (at + text.length > this.#bytes.length) this.#grow(at + text.length)
    const bytes = this.#bytes
    let i = 0
    while (i < text.length) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) break
      bytes[at + i] = unit
      i += 1
    }
    const isAscii = i === text.length
    assert(isAscii || text.isWellFormed(), 'texts are well-formed UTF-16')
    this.#end += isAscii ? i : this.#encode(text)
    this.#count += 1
    this.#offsets[this.#count] = this.#end
  }

  /** Writes a text that is not ASCII; returns its length. */
  #encode(text: string): number {
    const most = this.#end + text.length * UNIT_BYTES_MAX
    if (most > this.#bytes.length) this.#grow(most)
    return ENCODER.encodeInto(text, this.#bytes.subarray(this.#end)).written
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
