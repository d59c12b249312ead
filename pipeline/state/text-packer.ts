/**
 * Packed texts of state records, with a third fewer bytes and little CPU. The texts are JSON, and
 * mostly ids and instants: digits and hexadecimal letters, of which each byte takes two. A text that
 * occurs again in a record refers to the first place.
 *
 *   packed = tokens; a token begins with one byte, `token`:
 *     0x00-0x1f  a pair of characters (`PAIRS`)
 *     0x20-0x7f  this character
 *     0x80-0xbf  `HEX_MIN` or more hexadecimal digits, two a byte; a last odd one takes a byte
 *     0xc0-0xfe  `COPY_MIN` or more bytes from a distance back (2 bytes, little-endian)
 *     0xff       a number of bytes (1 byte), then these bytes
 *
 * Distances reach back into the key, which is before the text.
 */

import { copySlice, type Slice } from './slice.ts'

const HEX_FROM = 0x80
const HEX_MIN = 4
const HEX_MAX = HEX_MIN + 0x3f
const COPY_FROM = 0xc0
const COPY_MIN = 5
const COPY_MAX = COPY_MIN + 0x3e
const DISTANCE_MAX = 0xffff
const BYTES = 0xff
const BYTES_MAX = 0xff
const QUOTE = 0x22
const NOT_HEX = 16
const UNPRINTABLE = 17

/** Pairs of characters that are frequent in JSON; no second one is a hexadecimal letter. */
const PAIRS =
  '", ," ], ,[ ]] [[ ,0 ,1 ,2 [0 [1 [" "] ": :[ :{ {" [] ]} }, }] :" "} ,n nu ll 0, 1, ,t 0] 1]'
    .split(' ')
    .map((pair) => Buffer.from(pair))

/** By first and second character of a pair: its token and 1; otherwise 0. */
const TOKEN_OF = new Uint8Array(1 << 16)
PAIRS.forEach(([first = 0, second = 0], token) => (TOKEN_OF[(first << 8) | second] = token + 1))

/** By byte: the value of a hexadecimal digit, `NOT_HEX` for another ASCII character, or `UNPRINTABLE`. */
const KIND = new Uint8Array(256).fill(NOT_HEX, 0x20, 0x80).fill(UNPRINTABLE, 0, 0x20)
KIND.fill(UNPRINTABLE, 0x80)
const HEX_DIGITS = Buffer.from('0123456789abcdef')
HEX_DIGITS.forEach((digit, value) => (KIND[digit] = value))

/** By byte: whether it is a letter, or what is between the words of a name. */
const IS_LETTER = new Uint8Array(256).fill(1, 0x41, 0x5b).fill(1, 0x61, 0x7b)
IS_LETTER[0x20] = IS_LETTER[0x5f] = 1

const TABLE_BITS = 11
/** Positions count on from record to record up to this. */
const POSITION_MAX = 2 ** 30

/** Returns the most bytes that a text of a length takes when packed. */
export function packedMax(length: number): number {
  return 2 * length + 2
}

/** Packs texts one after another. */
export class TextPacker {
  /** Key and text. */
  #bytes = new Uint8Array(1 << 12)
  /** By hash of the bytes at a position: the last position with it; an earlier record's is lower than
   * `#start`. */
  readonly #table = new Int32Array(1 << TABLE_BITS)
  /** Position of the first byte of the record. */
  #start = 1
  readonly #positionMax: number

  /** Positions start again at `positionMax`. */
  constructor(positionMax = POSITION_MAX) {
    this.#positionMax = positionMax
  }

  /** Packs a text into `target` at a position. Returns the end. */
  pack(key: Slice, text: Slice, target: Uint8Array, at: number): number {
    const from = key.to - key.from
    const to = from + text.to - text.from
    if (to > this.#bytes.length) this.#bytes = new Uint8Array(2 * to)
    copySlice(key, this.#bytes, 0)
    copySlice(text, this.#bytes, from)
    if (this.#start + to > this.#positionMax) {
      this.#table.fill(0)
      this.#start = 1
    }
    if (from >= COPY_MIN) this.#found(this.#bytes, 0)
    const end = this.#pack(from, to, target, at)
    this.#start += to
    return end
  }

  /** Packs the bytes in a range. It is one loop, because calls would take a third of its time. */
  #pack(from: number, to: number, target: Uint8Array, at: number): number {
    const bytes = this.#bytes
    let isAfterQuote = false
    for (let i = from; i < to;) {
      const byte = bytes[i] as number
      const kind = KIND[byte] as number
      let end = i
      if (kind < NOT_HEX) {
        const last = Math.min(to, i + HEX_MAX)
        end = i + 1
        while (end < last && (KIND[bytes[end] as number] as number) < NOT_HEX) end += 1
      }
      const digits = end - i
      if ((isAfterQuote || digits >= COPY_MIN) && i + COPY_MIN <= to) {
        const before = this.#found(bytes, i)
        if (before >= 0 && bytes[before] === byte) {
          const max = Math.min(to - i, COPY_MAX)
          let length = 1
          while (length < max && bytes[before + length] === bytes[i + length]) length += 1
          if (length >= COPY_MIN && 2 * length > digits) {
            target[at] = COPY_FROM + length - COPY_MIN
            target[at + 1] = (i - before) & 0xff
            target[at + 2] = (i - before) >>> 8
            at += 3
            i += length
            isAfterQuote = false
            continue
          }
        }
      }
      isAfterQuote = false
      if (digits >= HEX_MIN) {
        target[at++] = HEX_FROM + digits - HEX_MIN
        for (; i + 1 < end; i += 2) {
          const high = KIND[bytes[i] as number] as number
          target[at++] = (high << 4) | (KIND[bytes[i + 1] as number] as number)
        }
        if (i < end) target[at++] = (KIND[bytes[i] as number] as number) << 4
        i = end
      } else if (kind === UNPRINTABLE) {
        const last = Math.min(to, i + BYTES_MAX)
        end = i + 1
        while (end < last && KIND[bytes[end] as number] === UNPRINTABLE) end += 1
        target[at++] = BYTES
        target[at++] = end - i
        while (i < end) target[at++] = bytes[i++] as number
      } else {
        const next = i + 1 < to ? (bytes[i + 1] as number) : 0
        const token = TOKEN_OF[(byte << 8) | next] as number
        if (token !== 0 && !(isHex(next) && i + 2 < to && isHex(bytes[i + 2] as number))) {
          target[at++] = token - 1
          isAfterQuote = next === QUOTE
          i += 2
        } else {
          target[at++] = byte
          isAfterQuote = byte === QUOTE
          i += 1
          if (IS_LETTER[byte] === 0) continue
          while (i < to && IS_LETTER[bytes[i] as number] === 1) target[at++] = bytes[i++] as number
        }
      }
    }
    return at
  }

  /** Returns the last position that may have the bytes at a position, or a negative number. */
  #found(bytes: Uint8Array, i: number): number {
    const word =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24)
    const mixed = word ^ Math.imul(bytes[i + 4] as number, 0x85ebca6b)
    const slot = Math.imul(mixed, 0x9e3779b1) >>> (32 - TABLE_BITS)
    const before = (this.#table[slot] as number) - this.#start
    this.#table[slot] = this.#start + i
    return i - before > DISTANCE_MAX ? -1 : before
  }
}

function isHex(byte: number): boolean {
  return (KIND[byte] as number) < NOT_HEX
}

/** Bytes of the text that is unpacked, after those of its key. */
let unpacked = Buffer.alloc(1 << 12)

/** Returns a text that was packed with a key. */
export function unpack(key: Slice, { bytes, from, to }: Slice): string {
  const start = key.to - key.from
  reserve(0, start)
  copySlice(key, unpacked, 0)
  let end = start
  for (let at = from; at < to;) {
    reserve(end, Math.max(HEX_MAX, COPY_MAX, BYTES_MAX))
    const out = unpacked
    const token = bytes[at] as number
    at += 1
    if (token < PAIRS.length) {
      const pair = PAIRS[token] as Buffer
      out[end] = pair[0] as number
      out[end + 1] = pair[1] as number
      end += 2
    } else if (token < HEX_FROM) {
      out[end] = token
      end += 1
    } else if (token < COPY_FROM) {
      const count = token - HEX_FROM + HEX_MIN
      for (let i = 0; i < count; i += 2, at++) {
        const both = bytes[at] as number
        out[end + i] = HEX_DIGITS[both >>> 4] as number
        out[end + i + 1] = HEX_DIGITS[both & 0xf] as number
      }
      end += count
    } else if (token < BYTES) {
      const before = end - (bytes[at] as number) - ((bytes[at + 1] as number) << 8)
      const count = token - COPY_FROM + COPY_MIN
      for (let i = 0; i < count; i++) out[end + i] = out[before + i] as number
      at += 2
      end += count
    } else {
      const count = bytes[at] as number
      for (let i = 0; i < count; i++) out[end + i] = bytes[at + 1 + i] as number
      at += 1 + count
      end += count
    }
  }
  return unpacked.toString('utf8', start, end)
}

/** Makes room for more bytes, and one, after the first ones. */
function reserve(end: number, more: number): void {
  if (end + more < unpacked.length) return
  const larger = Buffer.alloc(2 * (end + more))
  unpacked.copy(larger, 0, 0, end)
  unpacked = larger
}
