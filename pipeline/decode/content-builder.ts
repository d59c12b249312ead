/**
 * Content of events: all that an event says, without when it was received, as one run of bytes a
 * row. Its 64-bit hash is the fingerprint. An event that has been parsed and one that has been
 * scanned have the same.
 *
 * What is stored as JSON is a part of the content, so its bytes are copied once. The content of a row
 * is cut into `CONTENT_PARTS`; the JSON columns are those at the three positions.
 */

import { hashUtf8 } from '../base/hash.ts'
import { UNIT_BYTES_MAX, type TextColumn } from '../base/columns.ts'
import type { Canonical, LandedTexts } from './event-batch-builder.ts'
import { ByteHeap } from './byte-heap.ts'
import { sliceOf, type Slice } from './bytes.ts'
import type { ScannedEvent } from './scan/scanned-event.ts'

/** Parts of a row's content: the JSON objects, and what comes before each. */
const CONTENT_PARTS = 6
export const IDENTIFIERS = 1
export const PROPERTIES = 3
export const CONTEXT = 5

/** Returns the position of a row's part among those of all rows. */
export function contentAt(row: number, part: number): number {
  return row * CONTENT_PARTS + part
}

const LINE_FEED = 0x0a
const MINUS = 0x2d
const ZERO = 0x30
const ROWS_AT_FIRST = 1 << 10
/** Bytes of the numbers and line breaks of a row, at most. */
const NUMBERS_BYTES = 64
const WAITED = sliceOf('waited ')

export class ContentBuilder {
  readonly #heap = new ByteHeap()
  /** Where each part ends. The first offset is 0. */
  #offsets = new Int32Array(ROWS_AT_FIRST * CONTENT_PARTS + 1)
  #parts = 0

  /** Adds a parsed event and makes its hash; `lowHalf` and `highHalf` of `hash.ts` return it. */
  addParsed(event: Canonical, texts: LandedTexts): void {
    const { name, source, occurredAt, waited, ordinal } = event
    const { identifiers, properties, context, alias, unlink } = texts
    // An event that is dated from its receipt has the same hash whenever it is received.
    const when = waited === undefined ? occurredAt : `waited ${waited}`
    const head = `${name}\n${source}\n${when}\n${ordinal}\n`
    const tail = `\n${alias}\n${unlink}`
    const all = [head, identifiers, '\n', properties, '\n', context]
    const units = all.reduce((sum, { length }) => sum + length, tail.length)
    this.#reserve(units * UNIT_BYTES_MAX)
    const from = this.#heap.end
    for (const text of all) {
      this.#heap.putText(text)
      this.#endPart()
    }
    this.#heap.putText(tail)
    hashUtf8(this.#heap.bytes, from, this.#heap.end)
  }

  /** Adds a scanned event, which has no alias and no unlink, and makes its hash. */
  addScanned(event: ScannedEvent): void {
    const { name, source, identifiers, properties, context } = event
    this.#reserve(
      NUMBERS_BYTES +
        lengthOf(name) +
        lengthOf(source) +
        lengthOf(identifiers) +
        lengthOf(properties) +
        lengthOf(context),
    )
    const from = this.#heap.end
    this.#heap.put(name)
    this.#putLineFeed()
    this.#heap.put(source)
    this.#putLineFeed()
    if (event.waited === undefined) this.#putNumber(event.occurredAt)
    else {
      this.#heap.put(WAITED)
      this.#putNumber(event.waited)
    }
    this.#putNumber(event.ordinal)
    this.#endPart()
    this.#heap.put(identifiers)
    this.#endPart()
    this.#putLineFeed()
    this.#endPart()
    this.#heap.put(properties)
    this.#endPart()
    this.#putLineFeed()
    this.#endPart()
    this.#heap.put(context)
    this.#endPart()
    this.#putLineFeed()
    this.#putLineFeed()
    hashUtf8(this.#heap.bytes, from, this.#heap.end)
  }

  /** Returns the parts of all rows and begins the next batch. The bytes have a buffer of their own,
   * which may be larger. */
  take(): TextColumn {
    const offsets = this.#offsets.slice(0, this.#parts + 1)
    this.#parts = 0
    return { bytes: this.#heap.take(), offsets }
  }

  /** Makes room for so many bytes and the parts of a row. */
  #reserve(count: number): void {
    this.#heap.reserve(count)
    if (this.#parts + CONTENT_PARTS < this.#offsets.length) return
    const larger = new Int32Array(2 * this.#offsets.length)
    larger.set(this.#offsets)
    this.#offsets = larger
  }

  #endPart(): void {
    this.#parts += 1
    this.#offsets[this.#parts] = this.#heap.end
  }

  #putLineFeed(): void {
    this.#heap.bytes.array[this.#heap.end++] = LINE_FEED
  }

  /** Puts a safe integer and a line break. */
  #putNumber(value: number): void {
    if (value < 0) this.#heap.bytes.array[this.#heap.end++] = MINUS
    const size = Math.abs(value)
    // Integers of 32 bits are divided several times as fast.
    const high = Math.floor(size / 1e8)
    if (high > 0) this.#putDigits(high, 0)
    this.#putDigits(size - high * 1e8, high > 0 ? 8 : 0)
    this.#putLineFeed()
  }

  /** Puts an integer below 2^31, with zeros before it up to `width`. */
  #putDigits(value: number, width: number): void {
    let digits = 1
    for (let power = 10; digits < 10 && value >= power; power *= 10) digits += 1
    if (digits < width) digits = width
    let rest = value | 0
    const { bytes, end } = this.#heap
    for (let at = end + digits - 1; at >= end; at--) {
      const next = (rest / 10) | 0
      bytes.array[at] = ZERO + rest - next * 10
      rest = next
    }
    this.#heap.end = end + digits
  }
}

function lengthOf({ from, to }: Slice): number {
  return to - from
}
