/**
 * Walks the bytes of a JSON text token by token, with the names of the enclosing members. The text
 * must be valid JSON; it is not checked here. Linear, without recursion.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const MINUS = 0x2d
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Kind of token. `key` and `text` are without their quotes. */
export type TokenKind = 'key' | 'text' | 'number'

/** Position of a token: the raw names of the outermost enclosing members, the depth, and whether an
 * enclosing member has one of the given names. */
export type Place = { depth: number; names: string[]; isNamed: boolean }

export type Visit = (kind: TokenKind, from: number, to: number, place: Place) => void

/** Number of names that are kept per path. */
const NAMES_MAX = 3

/** Walks the tokens. `isName` is called with the bytes of every key outside of named members. */
export function walkJson(
  bytes: Uint8Array,
  isName: (from: number, to: number, depth: number) => boolean,
  visit: Visit,
): void {
  const isObject: boolean[] = [false]
  const place: Place = { depth: 0, names: [], isNamed: false }
  let namedAt = 0
  let isKeyNext = false
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at] as number
    const { depth } = place
    if (byte === QUOTE) {
      const end = endOfText(bytes, at)
      if (isKeyNext) {
        if (namedAt >= depth) namedAt = 0
        visit('key', at + 1, end - 1, place)
        if (depth <= NAMES_MAX) {
          place.names.length = depth - 1
          place.names.push(
            Buffer.from(bytes.buffer, bytes.byteOffset + at + 1, end - at - 2).toString(),
          )
        }
        if (namedAt === 0 && isName(at + 1, end - 1, depth)) namedAt = depth
        place.isNamed = namedAt > 0
        isKeyNext = false
      } else visit('text', at + 1, end - 1, place)
      at = end
      continue
    }
    if (byte === MINUS || (byte >= 0x30 && byte <= 0x39)) {
      const end = endOfNumber(bytes, at)
      visit('number', at, end, place)
      at = end
      continue
    }
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      place.depth += 1
      isObject[place.depth] = isKeyNext = byte === OPEN_OBJECT
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      if (namedAt >= depth) namedAt = 0
      place.isNamed = namedAt > 0
      place.names.length = Math.min(place.names.length, Math.max(0, depth - 1))
      place.depth -= 1
      isKeyNext = false
    } else if (byte === COMMA) isKeyNext = isObject[depth] === true
    at += 1
  }
}

/** Returns the position after the text that opens at `from`. */
function endOfText(bytes: Uint8Array, from: number): number {
  let at = from + 1
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
  return at + 1
}

function endOfNumber(bytes: Uint8Array, from: number): number {
  let at = from
  for (; at < bytes.length; at++) {
    const byte = bytes[at] as number
    const isPart = (byte >= 0x2b && byte <= 0x39 && byte !== COMMA) || (byte | 0x20) === 0x65
    if (!isPart) break
  }
  return at
}
