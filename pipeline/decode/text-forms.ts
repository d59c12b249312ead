/**
 * Forms of a value in bytes: plain, JSON-escaped, percent-encoded, or compressed with gzip.
 *
 * Shared by all searches for values in text that may not parse:
 * - `readingsOf(bytes)`: the possible texts of bytes, without escapes;
 * - `readings(text)`: the same for a text;
 * - `isBoundary(text, at)`: whether a token can begin or end between two characters;
 * - `foldedText(text)`: the form in which spellings of one value are equal.
 *
 * Every function takes linear time and memory.
 */

import { constants, gunzipSync } from 'node:zlib'
import { isPacked, UNPACKED_BYTES_MAX } from './unpack-messages.ts'

/** Number of nested escapes that are decoded. */
const DEPTH_MAX = 3
/** Number of search steps for the longest prefix of damaged gzip that can be unpacked. */
const PREFIX_STEPS_MAX = 12

const BACKSLASH = 0x5c
const PERCENT = 0x25
const REPLACEMENT = '\ufffd'

/** Characters that have a special meaning after a backslash. */
const ESCAPES = new Map(
  [...'nrtbfv'].map((name, n) => [name.charCodeAt(0), [10, 13, 9, 8, 12, 11][n]]),
)

/** Yields the possible texts of bytes. Gzip is unpacked, up to the size of a message. Bytes that
 * are not UTF-8 are also read as Latin-1. */
export function* readingsOf(bytes: Uint8Array): Generator<string> {
  const unpacked = isPacked(bytes) ? unpackedPrefix(bytes) : null
  if (unpacked !== null) yield* readingsOf(unpacked)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const text = buffer.toString()
  yield* readings(text)
  if (text.includes(REPLACEMENT)) yield* readings(buffer.toString('latin1'))
}

/** Yields a text, then the text with JSON escapes and percent-encoding decoded, repeatedly: a JSON
 * text can contain another one. */
export function* readings(text: string): Generator<string> {
  let reading = text
  yield reading
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    const next = unescaped(reading)
    if (next === reading) return
    yield (reading = next)
  }
}

/** Unpacks gzip as far as it is intact and within the limit; null if not at all. */
function unpackedPrefix(packed: Uint8Array): Uint8Array | null {
  const unpack = (length: number) => {
    try {
      return gunzipSync(packed.subarray(0, length), {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: UNPACKED_BYTES_MAX,
      })
    } catch {
      return null
    }
  }
  let found = unpack(packed.length)
  if (found !== null) return found
  let [sound, damaged] = [0, packed.length]
  for (let step = 0; step < PREFIX_STEPS_MAX; step++) {
    const middle = (sound + damaged) >>> 1
    const prefix = unpack(middle)
    if (prefix === null) damaged = middle
    else [sound, found] = [middle, prefix]
  }
  return found
}

/** Decodes one layer of escapes. The result is never longer than the text, so the buffer has its
 * length. */
function unescaped(text: string): string {
  if (!text.includes('\\') && !text.includes('%')) return text
  const units = new Uint16Array(text.length)
  let length = 0
  for (let at = 0; at < text.length;) {
    const unit = text.charCodeAt(at)
    if (unit === BACKSLASH) {
      const size = escapeSize(text, at)
      units[length++] = escapedUnit(text, at, size)
      at += size
    } else if (unit === PERCENT) {
      const size = percentSize(text, at)
      for (const decoded of percentText(text, at, size)) units[length++] = decoded
      at += size
    } else {
      units[length++] = unit
      at += 1
    }
  }
  return Buffer.from(units.buffer, 0, 2 * length).toString('utf16le')
}

/** Returns the length of the escape that begins with the backslash at `at`. */
function escapeSize(text: string, at: number): number {
  const kind = text[at + 1]
  if (kind === 'u' && isHex(text, at + 2, 4)) return 6
  if (kind === 'x' && isHex(text, at + 2, 2)) return 4
  return kind === undefined ? 1 : 2
}

function escapedUnit(text: string, at: number, size: number): number {
  if (size === 1) return BACKSLASH
  if (size > 2) return hexAt(text, at + 2, size - 2)
  const unit = text.charCodeAt(at + 1)
  return ESCAPES.get(unit) ?? unit
}

/** Returns the length of the percent-encoded character at `at`; 1 for a bare percent sign. */
function percentSize(text: string, at: number): number {
  if (!isHex(text, at + 1, 2)) return 1
  const lead = hexAt(text, at + 1, 2)
  const bytes = lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 1
  for (let n = 1; n < bytes; n++) {
    const from = at + 3 * n
    if (text.charCodeAt(from) !== PERCENT || !isHex(text, from + 1, 2)) return 3
    if ((hexAt(text, from + 1, 2) & 0xc0) !== 0x80) return 3
  }
  return 3 * bytes
}

/** Returns the code units of a percent-encoded character. Bytes that are not UTF-8 are read as
 * Latin-1. */
function percentText(text: string, at: number, size: number): number[] {
  if (size === 1) return [PERCENT]
  const lead = hexAt(text, at + 1, 2)
  if (size === 3) return [lead]
  let point = lead & (0xff >> (size / 3 + 1))
  for (let from = at + 3; from < at + size; from += 3) {
    point = (point << 6) | (hexAt(text, from + 1, 2) & 0x3f)
  }
  if (point < 0x10000) return [point]
  if (point > 0x10ffff) return [REPLACEMENT.charCodeAt(0)]
  return [0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff)]
}

function isHex(text: string, from: number, count: number): boolean {
  for (let at = from; at < from + count; at++) {
    if (hexDigit(text.charCodeAt(at)) < 0) return false
  }
  return true
}

function hexAt(text: string, from: number, count: number): number {
  let value = 0
  for (let at = from; at < from + count; at++) value = 16 * value + hexDigit(text.charCodeAt(at))
  return value
}

/** Returns the value of a hexadecimal digit, or -1. */
function hexDigit(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30
  const letter = unit | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** Letters and digits of scripts that put spaces between words. */
const WORD =
  /^(?!\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Thai})[\p{L}\p{N}\p{M}]$/u

/** By code unit: whether it is part of a word. */
let wordUnits: Uint8Array | null = null
/** By code unit: its form in `foldedText`. */
let foldedUnits: Uint16Array | null = null

/** Returns for each code unit 1 if it is a letter or digit. */
export function wordTable(): Uint8Array {
  return (wordUnits ??= Uint8Array.from({ length: 0x10000 }, (_, unit) =>
    WORD.test(String.fromCharCode(unit)) ? 1 : 0,
  ))
}

/** Returns for each code unit its lower case; a plus sign becomes a space, as in form fields. */
export function foldTable(): Uint16Array {
  return (foldedUnits ??= Uint16Array.from({ length: 0x10000 }, (_, unit) => {
    if (unit === PLUS) return SPACE
    const lower = String.fromCharCode(unit).toLowerCase()
    return lower.length === 1 ? lower.charCodeAt(0) : unit
  }))
}

const PLUS = 0x2b
const SPACE = 0x20

/** Returns whether a token can begin or end at `at`, which is false between two letters or digits. */
export function isBoundary(text: string, at: number): boolean {
  const words = wordTable()
  if (at <= 0 || at >= text.length) return true
  return words[text.charCodeAt(at - 1)] === 0 || words[text.charCodeAt(at)] === 0
}

/** Returns a text in lower case with plus signs as spaces, character by character. */
export function foldedText(text: string): string {
  const folded = foldTable()
  let result = ''
  for (let at = 0; at < text.length; at++) {
    result += String.fromCharCode(folded[text.charCodeAt(at)] as number)
  }
  return result
}
