/**
 * Finds places in text that may identify a person: short values that stand alone, values between
 * delimiters, and keys whose numbers are identifiers.
 *
 * A short value such as `7` can also be a quantity, a step or a page. It counts only in quotes, as
 * a whole field of a delimited line, or beside the name of a namespace. Every function takes linear
 * time.
 */

import { isBoundary, wordTable } from '../decode/text-forms.ts'

/** Shorter values must stand alone. */
const LENGTH_ALONE = 5
/** Maximum characters between a name and its value, as in `"user_id" : "`. */
const BETWEEN_MAX = 8
/** Maximum spaces around a field. */
const PADDING_MAX = 8

const QUOTES = new Set(['"', "'", '`'])
const FIELD_ENDS = new Set(['', '\n', '\r', ',', ';', '\t', '|'])
const URL_ENDS = new Set(['=', '&', '/', '?', '#', ...FIELD_ENDS])
const BETWEEN = new Set(' \t"\'`:=>[\\')
/** By code unit: whether it ends a value. */
const DELIMITER_UNITS = new Uint8Array(128)
for (const unit of '"\'`,;|&=<>()[]{}\\/?#: \t\r\n') DELIMITER_UNITS[unit.charCodeAt(0)] = 1

const ONLY_DIGITS = /^\d+$/

export class PiiScanner {
  /** Endings of keys whose numbers are identifiers, in lower case. */
  readonly #keyEnds: string[]
  /** The same names without punctuation, so that `userId` equals `user_id`. */
  readonly #names: string[]
  readonly #nameLengthMax: number

  /** `namespaces` are the declared ones. */
  constructor(namespaces: readonly string[]) {
    this.#keyEnds = ['id', ...namespaces.map((name) => name.toLowerCase())]
    this.#names = [...namespaces, 'event_id', 'message_id'].map(lettersOf)
    this.#nameLengthMax = Math.max(...this.#names.map((name) => name.length))
  }

  /** Returns whether a number under this key can identify a person. A price cannot. */
  isKey(key: string): boolean {
    const lower = key.toLowerCase()
    return this.#keyEnds.some((end) => lower.endsWith(end))
  }

  /** Returns whether a whole token of a text can be an identifier: it is long enough, or stands
   * alone. Digits of a decimal fraction cannot. */
  isWhole(text: string, from: number, to: number): boolean {
    const value = text.slice(from, to)
    const isNumber = ONLY_DIGITS.test(value)
    if (isNumber && (isFraction(text, from - 1, -1) || isFraction(text, to, 1))) return false
    if (to - from >= LENGTH_ALONE) return true
    const before = text[from - 1] ?? ''
    if (QUOTES.has(before) && text[to] === before) return true
    return isField(text, from, to, isNumber) || this.#isBesideName(text, from)
  }

  #isBesideName(text: string, from: number): boolean {
    let at = from
    while (at > from - BETWEEN_MAX && BETWEEN.has(text[at - 1] ?? '')) at -= 1
    if (at === from) return false
    const words = wordTable()
    let name = ''
    for (let n = 0; n < 2 * this.#nameLengthMax && at > 0; n++) {
      at -= 1
      const unit = text[at] as string
      if (words[text.charCodeAt(at)] === 1) name = unit.toLowerCase() + name
      else if (unit !== '_' && unit !== '-') break
    }
    return this.#names.some((one) => name.endsWith(one))
  }
}

/** Yields start and end of each text between two quotes of a kind, and between two delimiters.
 * Quotes need not be balanced. */
export function* delimitedIn(text: string): Generator<[from: number, to: number]> {
  for (const quote of QUOTES) {
    let from = text.indexOf(quote) + 1
    while (from > 0) {
      const to = text.indexOf(quote, from)
      if (to < 0) break
      if (to > from) yield [from, to]
      from = to + 1
    }
  }
  let from = 0
  for (let at = 0; at <= text.length; at++) {
    if (at < text.length && DELIMITER_UNITS[text.charCodeAt(at)] !== 1) continue
    const to = text[at - 1] === '.' ? at - 1 : at
    if (to > from && isBoundary(text, from)) yield [from, to]
    from = at + 1
  }
}

/** Returns whether the value is everything between two delimiters. Numbers in a JSON list or a URL
 * are not fields. */
function isField(text: string, from: number, to: number, isNumber: boolean): boolean {
  let [start, end] = [from, to]
  while (start > from - PADDING_MAX && text[start - 1] === ' ') start -= 1
  while (end < to + PADDING_MAX && text[end] === ' ') end += 1
  const ends = isNumber ? FIELD_ENDS : URL_ENDS
  if (!ends.has(text[start - 1] ?? '') || !ends.has(text[end] ?? '')) return false
  return !isNumber || !/^\s{0,8}[[{]/.test(text)
}

/** Returns whether a decimal point at `at` joins other digits to the value, in the given direction. */
function isFraction(text: string, at: number, direction: 1 | -1): boolean {
  if (text[at] !== '.') return false
  const unit = text.charCodeAt(at + direction)
  return unit >= 0x30 && unit <= 0x39
}

function lettersOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '')
}
