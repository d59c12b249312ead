/**
 * Hashes. They are deterministic on every engine and machine, and not cryptographic. Ids are
 * computed here and never in SQL, because the engines' hash functions differ.
 *
 * Hashes are computed over UTF-16 code units with MurmurHash3 x86 128-bit; two units form one word.
 * A 64-bit hash is the first two 32-bit lanes.
 */

const C1 = 0x239b961b
const C2 = 0xab0e9789
const C3 = 0x38b34ae5
const C4 = 0xa1e38b93

/** The four lanes of the last hash; module variables avoid allocation. */
let h1 = 0
let h2 = 0
let h3 = 0
let h4 = 0

function lanesOf(text: string): void {
  const length = text.length
  h1 = h2 = h3 = h4 = 0
  let at = 0
  for (; at + 8 <= length; at += 8) {
    mix(
      text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16),
      text.charCodeAt(at + 2) | (text.charCodeAt(at + 3) << 16),
      text.charCodeAt(at + 4) | (text.charCodeAt(at + 5) << 16),
      text.charCodeAt(at + 6) | (text.charCodeAt(at + 7) << 16),
    )
  }
  if (at < length) {
    mix(
      unit(text, at) | (unit(text, at + 1) << 16),
      unit(text, at + 2) | (unit(text, at + 3) << 16),
      unit(text, at + 4) | (unit(text, at + 5) << 16),
      unit(text, at + 6),
    )
  }
  finish(length)
}

function unit(text: string, at: number): number {
  return at < text.length ? text.charCodeAt(at) : 0
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

function mix(k1: number, k2: number, k3: number, k4: number): void {
  h1 ^= Math.imul(rotate(Math.imul(k1, C1), 15), C2)
  h1 = (Math.imul(rotate(h1, 19) + h2, 5) + 0x561ccd1b) | 0
  h2 ^= Math.imul(rotate(Math.imul(k2, C2), 16), C3)
  h2 = (Math.imul(rotate(h2, 17) + h3, 5) + 0x0bcaa747) | 0
  h3 ^= Math.imul(rotate(Math.imul(k3, C3), 17), C4)
  h3 = (Math.imul(rotate(h3, 15) + h4, 5) + 0x96cd1c35) | 0
  h4 ^= Math.imul(rotate(Math.imul(k4, C4), 18), C1)
  h4 = (Math.imul(rotate(h4, 13) + h1, 5) + 0x32ac3b17) | 0
}

function finish(length: number): void {
  h1 ^= length
  h2 ^= length
  h3 ^= length
  h4 ^= length
  h1 = (h1 + h2 + h3 + h4) | 0
  h2 = (h2 + h1) | 0
  h3 = (h3 + h1) | 0
  h4 = (h4 + h1) | 0
  h1 = avalanche(h1)
  h2 = avalanche(h2)
  h3 = avalanche(h3)
  h4 = avalanche(h4)
  h1 = (h1 + h2 + h3 + h4) | 0
  h2 = (h2 + h1) | 0
  h3 = (h3 + h1) | 0
  h4 = (h4 + h1) | 0
}

function avalanche(word: number): number {
  let h = word
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
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

/** Makes the hash of the text with the bytes from one up to another, which are valid UTF-8;
 * `lowHalf` and `highHalf` return it. */
export function hashUtf8(bytes: Uint8Array, from: number, to: number): void {
  h1 = h2 = h3 = h4 = 0
  pendingCount = 0
  fedCount = 0
  let at = from
  while (at < to) {
    if (pendingCount === 0) {
      const begun = at
      at = mixAscii(bytes, at, to)
      fedCount += at - begun
      if (at === to) break
    }
    const byte = bytes[at] as number
    if (byte < 0x80) {
      feedUnit(byte)
      at += 1
    } else at = feedCharacter(bytes, at)
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
function mixAscii(bytes: Uint8Array, from: number, to: number): number {
  let [a, b, c, d] = [h1, h2, h3, h4]
  let at = from
  for (; at + 8 <= to; at += 8) {
    const k1 = (bytes[at] as number) | ((bytes[at + 1] as number) << 16)
    const k2 = (bytes[at + 2] as number) | ((bytes[at + 3] as number) << 16)
    const k3 = (bytes[at + 4] as number) | ((bytes[at + 5] as number) << 16)
    const k4 = (bytes[at + 6] as number) | ((bytes[at + 7] as number) << 16)
    if (((k1 | k2 | k3 | k4) & 0x800080) !== 0) break
    a ^= Math.imul(rotate(Math.imul(k1, C1), 15), C2)
    a = (Math.imul(rotate(a, 19) + b, 5) + 0x561ccd1b) | 0
    b ^= Math.imul(rotate(Math.imul(k2, C2), 16), C3)
    b = (Math.imul(rotate(b, 17) + c, 5) + 0x0bcaa747) | 0
    c ^= Math.imul(rotate(Math.imul(k3, C3), 17), C4)
    c = (Math.imul(rotate(c, 15) + d, 5) + 0x96cd1c35) | 0
    d ^= Math.imul(rotate(Math.imul(k4, C4), 18), C1)
    d = (Math.imul(rotate(d, 13) + a, 5) + 0x32ac3b17) | 0
  }
  h1 = a
  h2 = b
  h3 = c
  h4 = d
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

/** Writes the 128-bit hash of a text, big-endian, into the 16 bytes of `out` from `16 * row`. */
export function uuidInto(text: string, out: Uint8Array, row: number): void {
  lanesOf(text)
  const from = row * 16
  writeWord(out, from, h1)
  writeWord(out, from + 4, h2)
  writeWord(out, from + 8, h3)
  writeWord(out, from + 12, h4)
}

function writeWord(out: Uint8Array, from: number, word: number): void {
  out[from] = word >>> 24
  out[from + 1] = word >>> 16
  out[from + 2] = word >>> 8
  out[from + 3] = word
}

/** Returns the 128-bit hash of a text as UUID text. */
export function uuidOf(text: string): string {
  const bytes = new Uint8Array(16)
  uuidInto(text, bytes, 0)
  return uuidText(bytes, 0)
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
