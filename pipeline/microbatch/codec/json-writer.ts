/**
 * Writes JSON as UTF-8 bytes, one text after another, into one column. The bytes equal those of
 * `JSON.stringify`, without its arrays, objects and strings.
 */

import { UNIT_BYTES_MAX, type TextColumn } from '../../base/columns.ts'
import type { Place } from '../../base/event-order.ts'
import type { Json } from '../../base/json.ts'
import { Ints } from '../../stages/growable-array.ts'

const BYTES_AT_FIRST = 64 * 1024
/** Larger arrays are not kept. */
const SPARE_BYTES_MAX = 32 * 1024 * 1024
/** Most digits of an integer within 2^53, with a sign. */
const DIGITS_MAX = 17
/** Digits of an integer are made in two parts below this, because 32-bit division is faster. */
const PART = 1e9
const PART_DIGITS = 9

const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const ZERO = 0x30
const COLON = 0x3a
const OPEN = 0x5b
const BACKSLASH = 0x5c
const CLOSE = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const SPACE = 0x20
const NULL = [0x6e, 0x75, 0x6c, 0x6c]

/** Writes a position in event order. */
export function writePlace(out: JsonWriter, [occurredAt, ordinal, eventId]: Place): void {
  out.openArray()
  out.number(occurredAt)
  out.number(ordinal)
  out.string(eventId)
  out.closeArray()
}

/** Array of a writer that has returned its column, for the next writer of this thread. */
let spare: Buffer<ArrayBuffer> | null = null

/** Takes the spare array, so that no other writer has it. */
function takeSpare(): Buffer<ArrayBuffer> {
  const bytes = spare ?? Buffer.from(new ArrayBuffer(BYTES_AT_FIRST))
  spare = null
  return bytes
}

export class JsonWriter {
  /** Belongs to this writer until `column` copies its bytes. */
  #bytes = takeSpare()
  #at = 0
  /** Whether a value was written that the next one must be separated from. */
  #isAfterValue = false
  readonly #ends = new Ints()
  readonly #digits = new Uint8Array(DIGITS_MAX)

  /** Ends a text. */
  end(): void {
    this.#ends.push(this.#at)
    this.#isAfterValue = false
  }

  /** Returns the texts that have ended. The writer must not be used afterwards. */
  column(): TextColumn {
    const offsets = new Int32Array(this.#ends.length + 1)
    offsets.set(this.#ends.toArray(), 1)
    const bytes = new Uint8Array(this.#bytes.buffer.slice(0, this.#at))
    if (this.#bytes.length <= SPARE_BYTES_MAX) spare = this.#bytes
    this.#bytes = Buffer.alloc(0)
    return { bytes, offsets }
  }

  /** Writes a number and a space before a text, which is not JSON as a whole then. */
  prefix(number: number): void {
    this.number(number)
    this.#byte(SPACE)
    this.#isAfterValue = false
  }

  openArray(): void {
    this.#open(OPEN)
  }

  closeArray(): void {
    this.#close(CLOSE)
  }

  openObject(): void {
    this.#open(OPEN_OBJECT)
  }

  closeObject(): void {
    this.#close(CLOSE_OBJECT)
  }

  /** Writes the name of a member. */
  name(name: string): void {
    this.string(name)
    this.#byte(COLON)
    this.#isAfterValue = false
  }

  null(): void {
    this.#separate(NULL.length)
    for (let i = 0; i < NULL.length; i++) this.#bytes[this.#at++] = NULL[i] as number
  }

  /** Writes a number; one that is not finite as null. */
  number(value: number): void {
    if (!Number.isSafeInteger(value)) {
      if (Number.isFinite(value)) this.json(value)
      else this.null()
      return
    }
    this.#separate(DIGITS_MAX)
    if (value < 0) this.#bytes[this.#at++] = MINUS
    const whole = Math.abs(value)
    const high = Math.floor(whole / PART)
    const low = whole - high * PART
    if (high > 0) {
      this.#digitsOf(high, 1)
      this.#digitsOf(low, PART_DIGITS)
    } else {
      this.#digitsOf(low, 1)
    }
  }

  numbers(values: readonly number[]): void {
    this.openArray()
    for (const value of values) this.number(value)
    this.closeArray()
  }

  string(text: string): void {
    this.#separate(text.length + 2)
    const bytes = this.#bytes
    let at = this.#at
    bytes[at++] = QUOTE
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      if (unit < SPACE || unit > 0x7e || unit === QUOTE || unit === BACKSLASH) {
        this.#utf8(JSON.stringify(text))
        return
      }
      bytes[at++] = unit
    }
    bytes[at++] = QUOTE
    this.#at = at
  }

  stringOrNull(text: string | null): void {
    if (text === null) this.null()
    else this.string(text)
  }

  strings(texts: readonly (string | null)[]): void {
    this.openArray()
    for (const text of texts) this.stringOrNull(text)
    this.closeArray()
  }

  value(value: Json): void {
    if (typeof value === 'string') this.string(value)
    else if (typeof value === 'number') this.number(value)
    else if (value === null) this.null()
    else this.json(value)
  }

  /** Writes what `JSON.stringify` makes of a value. */
  json(value: unknown): void {
    this.#separate(0)
    this.#utf8(JSON.stringify(value))
  }

  #open(bracket: number): void {
    this.#separate(1)
    this.#bytes[this.#at++] = bracket
    this.#isAfterValue = false
  }

  #close(bracket: number): void {
    this.#byte(bracket)
    this.#isAfterValue = true
  }

  /** Begins a value that takes so many bytes. */
  #separate(count: number): void {
    this.#reserve(count + 1)
    if (this.#isAfterValue) this.#bytes[this.#at++] = COMMA
    this.#isAfterValue = true
  }

  #byte(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.#at++] = byte
  }

  /** Writes the digits of an integer below 2^31, at least `least`. */
  #digitsOf(value: number, least: number): void {
    let count = 0
    for (let rest = value | 0; rest > 0 || count < least; count++) {
      const tens = (rest / 10) | 0
      this.#digits[count] = ZERO + (rest - tens * 10)
      rest = tens
    }
    while (count > 0) this.#bytes[this.#at++] = this.#digits[--count] as number
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
