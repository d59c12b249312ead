/**
 * Fingerprint of an event: the 64-bit hash of all that it says, without when it was received. An
 * event that has been parsed and one that has been scanned have the same.
 */

import { hashHalves, hashUtf8 } from '../base/hash.ts'
import type { Canonical, LandedTexts } from './event-batch-builder.ts'
import { copyBytes, newBytes, sliceOf, type Slice } from './bytes.ts'
import type { ScannedEvent } from './scan/scanned-event.ts'

const LINE_FEED = 0x0a
const MINUS = 0x2d
const ZERO = 0x30
const BYTES_AT_FIRST = 1 << 12
/** Bytes of the numbers and line breaks, at most. */
const NUMBERS_BYTES = 64
const WAITED = sliceOf('waited ')

/** Makes the hash of a parsed event; `lowHalf` and `highHalf` of `hash.ts` return it. */
export function hashParsed(event: Canonical, texts: LandedTexts): void {
  const { name, source, occurredAt, waited, ordinal } = event
  const { identifiers, properties, context, alias, unlink } = texts
  // An event that is dated from its receipt has the same hash whenever it is received.
  const when = waited === undefined ? occurredAt : `waited ${waited}`
  hashHalves(
    `${name}\n${source}\n${when}\n${ordinal}\n${identifiers}\n${properties}\n${context}\n` +
      `${alias}\n${unlink}`,
  )
}

/** The whole content of an event, put together so that it is hashed in one run. */
let content = newBytes(BYTES_AT_FIRST)
let end = 0

/** Makes the hash of a scanned event, which has no alias and no unlink. */
export function hashScanned(event: ScannedEvent): void {
  const { name, source, identifiers, properties, context } = event
  const most =
    NUMBERS_BYTES +
    lengthOf(name) +
    lengthOf(source) +
    lengthOf(identifiers) +
    lengthOf(properties) +
    lengthOf(context)
  if (most > content.array.length) content = newBytes(2 * most)
  end = 0
  putLine(name)
  putLine(source)
  if (event.waited === undefined) putNumber(event.occurredAt)
  else {
    end = copyBytes(WAITED.bytes.view, 0, WAITED.to, content.view, end)
    putNumber(event.waited)
  }
  putNumber(event.ordinal)
  putLine(identifiers)
  putLine(properties)
  putLine(context)
  content.array[end++] = LINE_FEED
  hashUtf8(content.array, 0, end)
}

function lengthOf({ from, to }: Slice): number {
  return to - from
}

function putLine({ bytes, from, to }: Slice): void {
  end = copyBytes(bytes.view, from, to, content.view, end)
  content.array[end++] = LINE_FEED
}

/** Puts a safe integer and a line break. */
function putNumber(value: number): void {
  if (value < 0) content.array[end++] = MINUS
  const size = Math.abs(value)
  // Integers of 32 bits are divided several times as fast.
  const high = Math.floor(size / 1e8)
  if (high > 0) putDigits(high, 0)
  putDigits(size - high * 1e8, high > 0 ? 8 : 0)
  content.array[end++] = LINE_FEED
}

/** Puts an integer below 2^31, with zeros before it up to `width`. */
function putDigits(value: number, width: number): void {
  let digits = 1
  for (let power = 10; digits < 10 && value >= power; power *= 10) digits += 1
  if (digits < width) digits = width
  let rest = value | 0
  for (let at = end + digits - 1; at >= end; at--) {
    const next = (rest / 10) | 0
    content.array[at] = ZERO + rest - next * 10
    rest = next
  }
  end += digits
}
