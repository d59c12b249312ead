/** Instants and integers read from bytes. Only common forms: NaN means that a parser must decide. */

import { INSTANT_MAX, parseInstant, SECOND } from '../../base/clock.ts'
import { EXACT_DIGITS_MAX } from '../limits.ts'

const DASH = 0x2d
const COLON = 0x3a
const POINT = 0x2e
const PLUS = 0x2b
const LETTER_T = 0x54
const LETTER_Z = 0x5a
const ZERO = 0x30
/** Characters of `2026-03-01`, of `2026-03-01T10:00:00` and of `+01:00`. */
const DATE_LENGTH = 10
const SECONDS_LENGTH = 19
const OFFSET_LENGTH = 6
/** Digits of a fraction that count. */
const FRACTION_DIGITS = 6
/** An offset that none can be. */
const NONE = -10_000
const DAYS_MAX = 1_000

/** Returns the integer that a JSON number writes with few digits, NaN for another. */
export function integerAt(bytes: Uint8Array, from: number, to: number): number {
  const first = bytes[from] === DASH ? from + 1 : from
  if (to === first || to - first > EXACT_DIGITS_MAX) return NaN
  let value = 0
  for (let at = first; at < to; at++) {
    const digit = (bytes[at] as number) - ZERO
    if (digit < 0 || digit > 9) return NaN
    value = 10 * value + digit
  }
  return first > from ? 0 - value : value
}

/** Returns the number of two digits, a negative one where they are not digits. */
function pairAt(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] as number) - ZERO
  const ones = (bytes[at + 1] as number) - ZERO
  return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -100_000_000 : 10 * tens + ones
}

/** Reads instants; remembers where their days begin. */
export class InstantScanner {
  /** By date as a number of eight digits: microseconds of its midnight. */
  readonly #midnights = new Map<number, number>()
  #lastDate = -1
  #lastMidnight = NaN

  /** Returns the microseconds of an RFC 3339 text with a capital T. */
  textAt(bytes: Uint8Array, from: number, to: number): number {
    const isForm =
      to - from > SECONDS_LENGTH &&
      bytes[from + 4] === DASH &&
      bytes[from + 7] === DASH &&
      bytes[from + 10] === LETTER_T &&
      bytes[from + 13] === COLON &&
      bytes[from + 16] === COLON
    if (!isForm) return NaN
    const date =
      pairAt(bytes, from) * 1_000_000 +
      pairAt(bytes, from + 2) * 10_000 +
      pairAt(bytes, from + 5) * 100 +
      pairAt(bytes, from + 8)
    const hour = pairAt(bytes, from + 11)
    const minute = pairAt(bytes, from + 14)
    const second = pairAt(bytes, from + 17)
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return NaN
    const isUtc = bytes[to - 1] === LETTER_Z
    const end = isUtc ? to - 1 : to - OFFSET_LENGTH
    const offset = isUtc ? 0 : offsetAt(bytes, end)
    const fraction = fractionAt(bytes, from + SECONDS_LENGTH, end)
    if (date < 0 || offset === NONE || fraction < 0) return NaN
    const midnight =
      date === this.#lastDate ? this.#lastMidnight : this.#midnight(date, bytes, from)
    const seconds = (hour * 60 + minute - offset) * 60 + second
    const micros = midnight + seconds * SECOND + fraction
    return micros >= -INSTANT_MAX && micros <= INSTANT_MAX ? micros : NaN
  }

  /** Returns the microseconds of a number of milliseconds. */
  numberAt(bytes: Uint8Array, from: number, to: number): number {
    return parseInstant(integerAt(bytes, from, to)) ?? NaN
  }

  #midnight(date: number, bytes: Uint8Array, from: number): number {
    let midnight = this.#midnights.get(date)
    if (midnight === undefined) {
      const text = Buffer.from(bytes.subarray(from, from + DATE_LENGTH)).toString('latin1')
      midnight = parseInstant(`${text}T00:00:00Z`) ?? NaN
      if (this.#midnights.size >= DAYS_MAX) this.#midnights.clear()
      this.#midnights.set(date, midnight)
    }
    this.#lastDate = date
    this.#lastMidnight = midnight
    return midnight
  }
}

/** Minutes of `+01:00`, `NONE` for another text. */
function offsetAt(bytes: Uint8Array, from: number): number {
  const sign = bytes[from]
  if ((sign !== PLUS && sign !== DASH) || bytes[from + 3] !== COLON) return NONE
  const hours = pairAt(bytes, from + 1)
  const minutes = pairAt(bytes, from + 4)
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return NONE
  return (sign === DASH ? -1 : 1) * (hours * 60 + minutes)
}

/** Microseconds of `.123`, further digits being cut off; a negative number for another text. */
function fractionAt(bytes: Uint8Array, from: number, to: number): number {
  if (from === to) return 0
  if (bytes[from] !== POINT || from + 1 >= to) return -1
  let value = 0
  for (let at = from + 1; at < to; at++) {
    const digit = (bytes[at] as number) - ZERO
    if (digit < 0 || digit > 9) return -1
    if (at <= from + FRACTION_DIGITS) value = 10 * value + digit
  }
  for (let places = to - from - 1; places < FRACTION_DIGITS; places++) value *= 10
  return value
}
