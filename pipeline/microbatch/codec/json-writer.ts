/**
 * Writes JSON as UTF-8 bytes, one text after another, into one column. The bytes equal those of
 * `JSON.stringify`, without its arrays, objects and strings.
 */

import type { TextColumn } from '../../base/columns.ts'
import type { Json } from '../../base/json.ts'
import { Ints } from '../../stages/growable-array.ts'

const BYTES_AT_FIRST = 64 * 1024
/** Most digits of an integer within 2^53, with a sign. */
const DIGITS_MAX = 17
/** Most bytes of a UTF-16 unit as UTF-8. */
const UNIT_BYTES_MAX = 3

const QUOTE = 0x22
const BACKSLASH = 0x5c
const ZERO = 0x30

export class JsonWriter {
  #bytes = Buffer.from(new ArrayBuffer(BYTES_AT_FIRST))
  #at = 0
  readonly #ends = new Ints()
  readonly #digits = new Uint8Array(DIGITS_MAX)

  /** Ends a text. */
  end(): void {
    this.#ends.push(this.#at)
  }

  /** Returns the texts that have ended. The writer must not be used afterwards. */
  column(): TextColumn {
    const offsets = new Int32Array(this.#ends.length + 1)
    offsets.set(this.#ends.toArray(), 1)
    return { bytes: this.#bytes.subarray(0, this.#at), offsets }
  }

  /** Writes ASCII text as it is. */
  raw(text: string): void {
    this.#reserve(text.length)
    for (let i = 0; i < text.length; i++) this.#bytes[this.#at++] = text.charCodeAt(i)
  }

  number(value: number): void {
    if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER && Number.isInteger(value))) {
      this.raw(JSON.stringify(value))
      return
    }
    this.#reserve(DIGITS_MAX)
    let count = 0
    let rest = value
    do {
      const tens = Math.floor(rest / 10)
      this.#digits[count++] = ZERO + (rest - tens * 10)
      rest = tens
    } while (rest > 0)
    while (count > 0) this.#bytes[this.#at++] = this.#digits[--count] as number
  }

  string(text: string): void {
    this.#reserve(text.length + 2)
    const bytes = this.#bytes
    let at = this.#at
    bytes[at++] = QUOTE
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      if (unit < 0x20 || unit > 0x7e || unit === QUOTE || unit === BACKSLASH) {
        this.#utf8(JSON.stringify(text))
        return
      }
      bytes[at++] = unit
    }
    bytes[at++] = QUOTE
    this.#at = at
  }

  value(value: Json): void {
    if (typeof value === 'string') this.string(value)
    else if (typeof value === 'number') this.number(value)
    else this.#utf8(JSON.stringify(value))
  }

  #utf8(text: string): void {
    this.#reserve(text.length * UNIT_BYTES_MAX)
    this.#at += this.#bytes.write(text, this.#at)
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return
    const longer = Buffer.from(new ArrayBuffer(Math.max(this.#at + count, 2 * this.#bytes.length)))
    longer.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = longer
  }
}
