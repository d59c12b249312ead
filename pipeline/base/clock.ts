/**
 * The one file that reads the wall clock, and the one that knows how instants are written.
 *
 * An instant is a number of microseconds since 1970-01-01 UTC, a safe integer: whole microseconds
 * are exact in a double from 1684 to 2255, and instants outside those years are refused.
 */

/** Microseconds in a millisecond, a second, an hour. */
export const MS = 1_000
export const SECOND = 1_000_000
export const HOUR = 3_600 * SECOND

/** Epoch milliseconds of 2000-01-01. A smaller number is refused: most are epoch seconds. */
const EPOCH_MS_MIN = 946_684_800_000

/** The furthest an instant may lie from 1970, in microseconds. */
export const INSTANT_MAX = 9_000_000_000_000_000

/** Now, in microseconds. */
export function now(): number {
  return Date.now() * MS
}

/** Milliseconds of a clock that only goes forward, for rates and time left. */
export function elapsedMs(): number {
  return performance.now()
}

const DAYS_OF_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
/** From 1 January of the year 0 to that of 1970. */
const DAYS_BEFORE_1970 = 719_528

/** `-`, `T` or a space, `:`, and the rest of the marks of RFC 3339, as character codes. */
const DASH = 0x2d
const COLON = 0x3a
const POINT = 0x2e
const PLUS = 0x2b
const LETTER_T = new Set(['T', 't', ' '].map((letter) => letter.charCodeAt(0)))
const LETTER_Z = new Set(['Z', 'z'].map((letter) => letter.charCodeAt(0)))

/**
 * Reads an RFC 3339 text (digits below a microsecond are cut off) or a number of epoch
 * milliseconds from the year 2000 on (fractions are kept down to a microsecond). Null when it is
 * neither. It is read digit by digit because a pattern and a `Date` were a tenth of all decoding.
 */
export function parseInstant(value: unknown): number | null {
  if (typeof value === 'number') {
    return value >= EPOCH_MS_MIN ? bounded(Math.round(value * MS)) : null
  }
  if (typeof value !== 'string') return null
  const marks =
    value.charCodeAt(4) === DASH &&
    value.charCodeAt(7) === DASH &&
    LETTER_T.has(value.charCodeAt(10)) &&
    value.charCodeAt(13) === COLON &&
    value.charCodeAt(16) === COLON
  if (!marks) return null
  const year = digits(value, 0, 4)
  const month = digits(value, 5, 7)
  const day = digits(value, 8, 10)
  const hour = digits(value, 11, 13)
  const minute = digits(value, 14, 16)
  const second = digits(value, 17, 19)
  const days = month === 2 && !isLeap(year) ? 28 : (DAYS_OF_MONTH[month - 1] ?? 0)
  const isTime = day >= 1 && day <= days && hour <= 23 && minute <= 59 && second <= 60
  if (!isTime) return null
  let at = 19
  let fraction = 0
  if (value.charCodeAt(at) === POINT) {
    const from = at + 1
    for (at = from; digits(value, at, at + 1) >= 0; at++);
    if (at === from) return null
    fraction = digits(value.slice(from, Math.min(at, from + 6)).padEnd(6, '0'), 0, 6)
  }
  const offset = offsetMinutes(value, at)
  const seconds = (daysTo(year, month, day) * 24 + hour) * 3_600 + (minute - offset) * 60 + second
  return bounded(seconds * SECOND + fraction)
}

/** Says what an instant must be, and what a value that `parseInstant` refuses may have meant. */
export function instantHint(value: unknown): string {
  const forms = 'RFC 3339 text, or epoch milliseconds from the year 2000 on'
  const isSeconds =
    typeof value === 'number' && value < EPOCH_MS_MIN && value * 1_000 >= EPOCH_MS_MIN
  return isSeconds ? `${forms}: seconds must be multiplied by 1,000` : forms
}

/** The number that the digits from `from` up to `to` write; NaN when they are not all digits. */
function digits(text: string, from: number, to: number): number {
  let number = 0
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 0x30
    if (!(digit >= 0 && digit <= 9)) return NaN
    number = number * 10 + digit
  }
  return number
}

/** Minutes ahead of UTC that the rest of a text says, from `at`; NaN when it is no offset. */
function offsetMinutes(text: string, at: number): number {
  const mark = text.charCodeAt(at)
  if (LETTER_Z.has(mark)) return at + 1 === text.length ? 0 : NaN
  const isOffset = (mark === PLUS || mark === DASH) && text.charCodeAt(at + 3) === COLON
  if (!isOffset || at + 6 !== text.length) return NaN
  const hours = digits(text, at + 1, at + 3)
  const minutes = digits(text, at + 4, at + 6)
  if (!(hours <= 23 && minutes <= 59)) return NaN
  return (mark === DASH ? -1 : 1) * (hours * 60 + minutes)
}

/** Days from 1 January 1970 to a date, which must exist. */
function daysTo(year: number, month: number, day: number): number {
  const past = year - 1
  const leapDays = Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400) + 1
  const ofYear = (DAYS_BEFORE_MONTH[month - 1] ?? 0) + (month > 2 && isLeap(year) ? 1 : 0)
  return year * 365 + leapDays - DAYS_BEFORE_1970 + ofYear + day - 1
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

function bounded(micros: number): number | null {
  return Number.isSafeInteger(micros) && Math.abs(micros) <= INSTANT_MAX ? micros : null
}

/** `2026-03-01T10:00:00.000000Z`: six digits always, so that texts sort as instants do. */
export function formatInstant(micros: number): string {
  const ms = Math.floor(micros / MS)
  const rest = String(micros - ms * MS).padStart(3, '0')
  return `${new Date(ms).toISOString().slice(0, -1)}${rest}Z`
}
