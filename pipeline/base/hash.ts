/**
 * Hashes. They are deterministic on every engine and machine, and not cryptographic. Ids are
 * computed here and never in SQL, because the engines' hash functions differ.
 *
 * Hashes are computed over UTF-16 code units with MurmurHash3 x86 128-bit; two units form one word.
 * A 64-bit hash is the first two 32-bit lanes.
 */

import {
  C1,
  C2,
  C3,
  C4,
  finish,
  h1,
  h2,
  h3,
  h4,
  mix,
  mixLastUnits,
  mixUnits,
  rotate,
  setLanes,
} from './murmur.ts'

function lanesOf(text: string): void {
  setLanes(0, 0, 0, 0)
  mixLastUnits(text, mixUnits(text, 0))
  finish(text.length)
}

/** Returns the 64-bit hash of a text, unsigned. */
export function hash64(text: string): bigint {
  lanesOf(text)
  return (BigInt(h2 >>> 0) << 32n) | BigInt(h1 >>> 0)
}

/** Returns the 64-bit hash of a text as two words, the low one first. */
export function hashWords(text: string): [low: number, high: number] {
  lanesOf(text)
  return [h1, h2]
}

/** Returns the 64-bit hashes of texts. */
export function hashes64(texts: readonly string[]): BigUint64Array {
  const halves = new Int32Array(texts.length * 2)
  for (let row = 0; row < texts.length; row++) {
    // Rows of a group are adjacent, so each text is hashed once.
    if (row === 0 || texts[row] !== texts[row - 1]) lanesOf(texts[row] as string)
    halves[row * 2] = h1
    halves[row * 2 + 1] = h2
  }
  return new BigUint64Array(halves.buffer)
}

/** Returns two words a 64-bit hash, the low one first, without copying. */
export function wordsOf(hashes: BigUint64Array): Uint32Array {
  return new Uint32Array(hashes.buffer, hashes.byteOffset, 2 * hashes.length)
}

/** Code units that are fed and not yet mixed, and how many all are. */
const pending = new Uint16Array(8)
let pendingCount = 0
let fedCount = 0

/** Feeds one UTF-16 code unit. */
function feedUnit(unit: number): void {
  pending[pendingCount] = unit
  pendingCount += 1
  fedCount += 1
  if (pendingCount < 8) return
  mixPending()
  pendingCount = 0
}

function mixPending(): void {
  mix(
    (pending[0] as number) | ((pending[1] as number) << 16),
    (pending[2] as number) | ((pending[3] as number) << 16),
    (pending[4] as number) | ((pending[5] as number) << 16),
    (pending[6] as number) | ((pending[7] as number) << 16),
  )
}

/** Bytes, and a view of the same. */
type ViewedBytes = { array: Uint8Array; view: DataView }

/** Makes the hash of the text with the bytes from one up to another, which are valid UTF-8;
 * `lowHalf` and `highHalf` return it. */
export function hashUtf8({ array, view }: ViewedBytes, from: number, to: number): void {
  setLanes(0, 0, 0, 0)
  pendingCount = 0
  fedCount = 0
  let at = from
  while (at < to) {
    if (pendingCount === 0) {
      const begun = at
      at = mixAscii(view, at, to)
      fedCount += at - begun
      if (at === to) break
    }
    const byte = array[at] as number
    if (byte < 0x80) {
      feedUnit(byte)
      at += 1
    } else at = feedCharacter(array, at)
  }
  if (pendingCount > 0) {
    for (let i = pendingCount; i < 8; i++) pending[i] = 0
    mixPending()
  }
  finish(fedCount)
}

/**
 * Mixes eight bytes at a time as long as all are ASCII; returns the position after them. It is
 * `mix` with the lanes in local variables: that is twice as fast.
 */
function mixAscii(view: DataView, from: number, to: number): number {
  let a = h1
  let b = h2
  let c = h3
  let d = h4
  let at = from
  for (; at + 8 <= to; at += 8) {
    const low = view.getInt32(at, true)
    const high = view.getInt32(at + 4, true)
    if (((low | high) & 0x80808080) !== 0) break
    a ^= Math.imul(rotate(Math.imul((low & 0xff) | ((low & 0xff00) << 8), C1), 15), C2)
    a = (Math.imul(rotate(a, 19) + b, 5) + 0x561ccd1b) | 0
    const k2 = ((low >>> 16) & 0xff) | ((low >>> 8) & 0xff0000)
    b ^= Math.imul(rotate(Math.imul(k2, C2), 16), C3)
    b = (Math.imul(rotate(b, 17) + c, 5) + 0x0bcaa747) | 0
    c ^= Math.imul(rotate(Math.imul((high & 0xff) | ((high & 0xff00) << 8), C3), 17), C4)
    c = (Math.imul(rotate(c, 15) + d, 5) + 0x96cd1c35) | 0
    const k4 = ((high >>> 16) & 0xff) | ((high >>> 8) & 0xff0000)
    d ^= Math.imul(rotate(Math.imul(k4, C4), 18), C1)
    d = (Math.imul(rotate(d, 13) + a, 5) + 0x32ac3b17) | 0
  }
  setLanes(a, b, c, d)
  return at
}

/** Feeds a character of two to four bytes; returns the position after it. */
function feedCharacter(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] as number
  const second = (bytes[at + 1] as number) & 0x3f
  if (lead < 0xe0) {
    feedUnit(((lead & 0x1f) << 6) | second)
    return at + 2
  }
  const third = (bytes[at + 2] as number) & 0x3f
  if (lead < 0xf0) {
    feedUnit(((lead & 0x0f) << 12) | (second << 6) | third)
    return at + 3
  }
  const fourth = (bytes[at + 3] as number) & 0x3f
  const beyond = (((lead & 0x07) << 18) | (second << 12) | (third << 6) | fourth) - 0x10000
  feedUnit(0xd800 | (beyond >>> 10))
  feedUnit(0xdc00 | (beyond & 0x3ff))
  return at + 4
}

/** Makes the hash of a text; `lowHalf` and `highHalf` return it. */
export function hashHalves(text: string): void {
  lanesOf(text)
}

/** The lower and the upper 32 bits of the last 64-bit hash that was made by halves. */
export function lowHalf(): number {
  return h1
}

export function highHalf(): number {
  return h2
}

/** Writes the 128-bit hash made last as four words from a position. Their bytes are big-endian. */
export function writeHash(words: Int32Array, at: number): void {
  words[at] = swapped(h1)
  words[at + 1] = swapped(h2)
  words[at + 2] = swapped(h3)
  words[at + 3] = swapped(h4)
}

/** Returns a word with its bytes in reverse order. */
export function swapped(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)
}

/** Returns the 128-bit hash of a text as UUID text. */
export function uuidOf(text: string): string {
  const words = new Int32Array(4)
  lanesOf(text)
  writeHash(words, 0)
  return uuidText(new Uint8Array(words.buffer), 0)
}

/** Returns the 16 bytes from `16 * row` as UUID text. */
export function uuidText(bytes: Uint8Array, row: number): string {
  let digits = ''
  for (let i = 0; i < 16; i++) digits += (bytes[row * 16 + i] ?? 0).toString(16).padStart(2, '0')
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20),
  ].join('-')
}

/** Encodes a part of a compound id. Escapes `%` and `/`, so that parts stay separate. */
export function encodePart(part: string): string {
  if (part.indexOf('%') < 0 && part.indexOf('/') < 0) return part
  return part.replaceAll('%', '%25').replaceAll('/', '%2F')
}
