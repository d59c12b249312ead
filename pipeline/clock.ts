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

const RFC3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/
const DAYS_OF_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * Reads an RFC 3339 text (digits below a microsecond are cut off) or a number of epoch
 * milliseconds (fractions are kept down to a microsecond). Null when it is neither.
 */
export function parseInstant(value: unknown): number | null {
  if (typeof value === 'number') return bounded(Math.round(value * MS))
  if (typeof value !== 'string') return null
  const parts = RFC3339.exec(value)
  if (parts === null) return null
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])]
  const [hour, minute, second] = [Number(parts[4]), Number(parts[5]), Number(parts[6])]
  const days = month === 2 && !isLeap(year) ? 28 : (DAYS_OF_MONTH[month - 1] ?? 0)
  if (day < 1 || day > days || hour > 23 || minute > 59 || second > 60) return null
  const fraction = Number((parts[7] ?? '').slice(0, 6).padEnd(6, '0'))
  const offsetHours = Number(parts[9] ?? 0)
  const offsetMinutes = Number(parts[10] ?? 0)
  if (offsetHours > 23 || offsetMinutes > 59) return null
  const offset = (parts[8] === '-' ? -1 : 1) * (offsetHours * 60 + offsetMinutes)
  const ms = Date.UTC(2000, month - 1, day, hour, minute - offset, second)
  return bounded((ms + yearsFrom2000Ms(year, month, day)) * MS + fraction)
}

/** `Date.UTC` reads years below 100 as 19xx, and 29 February must exist in its year. */
function yearsFrom2000Ms(year: number, month: number, day: number): number {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getTime() - Date.UTC(2000, month - 1, day)
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
