/**
 * Event order: ascending (occurred_at, ordinal, event_id), the id by code point. It is total.
 *
 * JavaScript compares strings by UTF-16 unit, which puts astral characters (surrogates, U+D800 up)
 * before U+E000 to U+FFFF; code points put them after. Databases compare UTF-8 bytes, which agree
 * with code points.
 */

/** One place in event order. */
export type Place = readonly [occurredAt: number, ordinal: number, eventId: string]

/** Negative, zero or positive, by code point. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left === right) continue
    return rank(left) - rank(right)
  }
  return a.length - b.length
}

/** Units in the order of the code points they stand for. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

/** Negative, zero or positive, in event order. */
export function comparePlaces(a: Place, b: Place): number {
  return a[0] - b[0] || a[1] - b[1] || compareText(a[2], b[2])
}
