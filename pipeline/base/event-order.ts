/**
 * Event order: ascending (occurred_at, ordinal, event_id), with ids compared by code point. It is a
 * total order.
 *
 * JavaScript compares UTF-16 units, which sorts astral characters (surrogates, from U+D800) before
 * U+E000 to U+FFFF. By code point they come after. Databases compare UTF-8 bytes, which sort like
 * code points.
 */

/** Position in event order. */
export type Place = readonly [occurredAt: number, ordinal: number, eventId: string]

/** Compares texts by code point: negative, zero or positive. */
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

/** Maps a UTF-16 unit to a number that sorts by code point. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

/** Compares positions in event order: negative, zero or positive. */
export function comparePlaces(a: Place, b: Place): number {
  return a[0] - b[0] || a[1] - b[1] || compareText(a[2], b[2])
}
