/**
 * Validating scanner of JSON bytes. Checks syntax like `JSON.parse` but creates no values. Each
 * function takes the start of something and returns the position after it, or -1 if it is not valid
 * JSON.
 *
 * Reading beyond the array is harmless: undefined does not match any token.
 */

export const QUOTE = 0x22
export const COMMA = 0x2c
export const COLON = 0x3a
export const BACKSLASH = 0x5c
export const OPEN_BRACKET = 0x5b
export const CLOSE_BRACKET = 0x5d
export const OPEN_BRACE = 0x7b
export const CLOSE_BRACE = 0x7d
export const SPACE = 0x20
const LETTER_U = 0x75
const MINUS = 0x2d
const PLUS = 0x2b
export const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39

/** By byte: 1 for bytes inside a text, which excludes quotes, backslashes and control characters. */
const IS_TEXT = table((byte) => byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH)
const IS_ESCAPE = table((byte) => '"\\/bfnrt'.includes(String.fromCharCode(byte)))
const IS_HEX = table((byte) => /^[0-9a-fA-F]$/.test(String.fromCharCode(byte)))

/** White space within a line. */
export const SPACE_IN_LINE = table((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
export const SPACE_ANYWHERE = table((byte) => SPACE_IN_LINE[byte] === 1 || byte === 0x0a)

const WORDS = ['true', 'false', 'null'].map((word) => Buffer.from(word))

/** A byte four times. */
const ONES = 0x01010101
const SPACES = SPACE * ONES
const QUOTES = QUOTE * ONES
const BACKSLASHES = BACKSLASH * ONES
const TOP_BITS = 0x80808080

/** Types of the open containers, 1 for an object; grows with the nesting. */
let open = new Uint8Array(512)

function table(has: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (has(byte) ? 1 : 0))
}

/** Skips white space listed in the table. */
export function skipSpace(bytes: Uint8Array, from: number, space: Uint8Array): number {
  let at = from
  while (space[bytes[at] as number] === 1) at += 1
  return at
}

/** Scans a text whose opening quote is just before `from`. */
export function endOfText(bytes: Uint8Array, from: number): number {
  let at = from
  for (;;) {
    at = endOfPlain(bytes, at)
    if (bytes[at] === QUOTE) return at + 1
    if (bytes[at] !== BACKSLASH) return -1
    at = endOfEscape(bytes, at + 1)
    if (at < 0) return -1
  }
}

/** View of the bytes that were scanned last: a chunk is scanned text by text. */
let viewed: Uint8Array = new Uint8Array(0)
let view = new DataView(viewed.buffer)

/** Scans bytes of a text; returns the position of its first quote, backslash or control character,
 * or of the end. Four bytes at a time are compared: in a word, a byte that is zero, or less than a
 * space, is the lowest whose top bit a subtraction sets. */
export function endOfPlain(bytes: Uint8Array, from: number): number {
  if (bytes !== viewed) {
    viewed = bytes
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }
  let at = from
  for (const last = bytes.length - 4; at <= last; at += 4) {
    const word = view.getInt32(at, true)
    const quote = word ^ QUOTES
    const backslash = word ^ BACKSLASHES
    const found =
      (((quote - ONES) & ~quote) | ((backslash - ONES) & ~backslash) | ((word - SPACES) & ~word)) &
      TOP_BITS
    if (found !== 0) return at + ((31 - Math.clz32(found & -found)) >> 3)
  }
  while (IS_TEXT[bytes[at] as number] === 1) at += 1
  return at
}

function endOfEscape(bytes: Uint8Array, at: number): number {
  if (IS_ESCAPE[bytes[at] as number] === 1) return at + 1
  if (bytes[at] !== LETTER_U) return -1
  for (let i = 1; i <= 4; i++) if (IS_HEX[bytes[at + i] as number] !== 1) return -1
  return at + 5
}

/** Scans a number, `true`, `false` or `null`. */
function endOfScalar(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number
  if (first === MINUS || isDigit(first)) return endOfNumber(bytes, at)
  for (let w = 0; w < WORDS.length; w++) {
    const word = WORDS[w] as Buffer
    let same = 0
    while (same < word.length && word[same] === bytes[at + same]) same += 1
    if (same === word.length) return at + same
  }
  return -1
}

function endOfNumber(bytes: Uint8Array, from: number): number {
  let at = bytes[from] === MINUS ? from + 1 : from
  if (bytes[at] === ZERO) at += 1
  else at = endOfDigits(bytes, at)
  if (at >= 0 && bytes[at] === POINT) at = endOfDigits(bytes, at + 1)
  if (at < 0 || ((bytes[at] as number) | 0x20) !== 0x65) return at
  const sign = bytes[at + 1]
  return endOfDigits(bytes, sign === PLUS || sign === MINUS ? at + 2 : at + 1)
}

function endOfDigits(bytes: Uint8Array, from: number): number {
  let at = from
  while (isDigit(bytes[at] as number)) at += 1
  return at === from ? -1 : at
}

export function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE
}

/** Scans any value up to the given nesting. `space` lists the white space allowed between tokens. */
export function endOfValue(
  bytes: Uint8Array,
  from: number,
  space: Uint8Array,
  nestingMax: number,
): number {
  const first = bytes[from]
  if (first === QUOTE) return endOfText(bytes, from + 1)
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return endOfScalar(bytes, from)
  let at = from
  let depth = 0
  nested: for (;;) {
    if (depth === nestingMax) return -1
    let isObject = bytes[at] === OPEN_BRACE
    if (depth === open.length) open = grown(open)
    open[depth] = isObject ? 1 : 0
    depth += 1
    at = skipSpace(bytes, at + 1, space)
    let isEmpty = bytes[at] === (isObject ? CLOSE_BRACE : CLOSE_BRACKET)
    for (;;) {
      if (!isEmpty) {
        if (isObject) at = endOfKey(bytes, at, space)
        if (at < 0) return -1
        const byte = bytes[at]
        if (byte === OPEN_BRACE || byte === OPEN_BRACKET) continue nested
        at = byte === QUOTE ? endOfText(bytes, at + 1) : endOfScalar(bytes, at)
        if (at < 0) return -1
      }
      isEmpty = false
      if ((bytes[at] as number) <= SPACE) at = skipSpace(bytes, at, space)
      while (bytes[at] === (isObject ? CLOSE_BRACE : CLOSE_BRACKET)) {
        depth -= 1
        if (depth === 0) return at + 1
        isObject = open[depth - 1] === 1
        at += 1
        if ((bytes[at] as number) <= SPACE) at = skipSpace(bytes, at, space)
      }
      if (bytes[at] !== COMMA) return -1
      at += 1
      if ((bytes[at] as number) <= SPACE) at = skipSpace(bytes, at, space)
    }
  }
}

/** Scans the key of a member, its colon and the space after it. */
function endOfKey(bytes: Uint8Array, from: number, space: Uint8Array): number {
  if (bytes[from] !== QUOTE) return -1
  const keyEnd = endOfText(bytes, from + 1)
  if (keyEnd < 0) return -1
  const at = bytes[keyEnd] === COLON ? keyEnd : skipSpace(bytes, keyEnd, space)
  if (bytes[at] !== COLON) return -1
  return (bytes[at + 1] as number) <= SPACE ? skipSpace(bytes, at + 1, space) : at + 1
}

function grown(array: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(array.length * 2)
  larger.set(array)
  return larger
}

/** Returns the greatest number of open brackets and braces, also for invalid JSON. */
export function nestingOf(bytes: Uint8Array): number {
  let depth = 0
  let deepest = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (byte === QUOTE) {
      at = endOfText(bytes, at + 1) - 1
      if (at < 0) break
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1
      if (depth > deepest) deepest = depth
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1
  }
  return deepest
}

/** Returns whether the bytes are exactly one JSON value, over any number of lines and at any depth. */
export function isJson(bytes: Uint8Array): boolean {
  const from = skipSpace(bytes, 0, SPACE_ANYWHERE)
  const end = endOfValue(bytes, from, SPACE_ANYWHERE, Infinity)
  return end >= 0 && skipSpace(bytes, end, SPACE_ANYWHERE) === bytes.length
}
