/** Identifiers of a scanned line: which of them name somebody, and their JSON as it is stored. */

import { ByteDictionary } from './byte-dictionary.ts'
import type { BatchBuilder } from './event-batch-builder.ts'
import {
  CLOSE_BRACE,
  COLON,
  COMMA,
  IS_TEXT,
  OPEN_BRACE,
  QUOTE,
  skipSpace,
  SPACE_IN_LINE,
} from './json-scan.ts'
import type { ScannedEvent, Slice } from './scanned-event.ts'

const LETTER_N = 0x6e
const LETTER_E = 0x65
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const SPACE = 0x20
const ASCII_END = 0x80
/** Integers with more digits may not be exact. */
const DIGITS_MAX = 15
const NULL_LENGTH = 4
/** Names that are remembered. */
const NAMES_MAX = 1_000
const BYTES_AT_FIRST = 1 << 10
/** Bytes around a name and its value: `,"`, `":"` and `"`, and the last brace. */
const PUNCTUATION_BYTES = 7

export class IdentifierScan {
  readonly #namespaces: readonly string[]
  /** The declared namespaces come first: their entries are their indexes. */
  #names = new ByteDictionary()
  /** By name, the last line that has it. */
  readonly #lastLine = new Float64Array(NAMES_MAX)
  #line = 0
  #json = Buffer.alloc(BYTES_AT_FIRST)
  #end = 0

  constructor(namespaces: readonly string[]) {
    this.#namespaces = namespaces
    this.#forgetNames()
  }

  #forgetNames(): void {
    this.#names = new ByteDictionary()
    for (const namespace of this.#namespaces) {
      const bytes = Buffer.from(namespace)
      this.#names.entry(bytes, 0, bytes.length)
    }
  }

  /** Begins the next line. */
  begin(event: ScannedEvent): void {
    this.#line += 1
    this.#end = 0
    event.who.fill(-1)
  }

  /** Ends the line: the event gets its identifiers as JSON. */
  end({ identifiers }: ScannedEvent): void {
    if (this.#end === 0) this.#json[this.#end++] = OPEN_BRACE
    this.#json[this.#end++] = CLOSE_BRACE
    identifiers.bytes = this.#json
    identifiers.from = 0
    identifiers.to = this.#end
  }

  /**
   * Adds the members of a valid JSON object. Returns false where it must be parsed: a name has an
   * escape, begins with a digit or comes twice, or `add` returns false.
   */
  addAll({ bytes, from, to }: Slice, event: ScannedEvent, into: BatchBuilder): boolean {
    const name: Slice = { bytes, from: 0, to: 0 }
    for (let at = skipSpace(bytes, from + 1, SPACE_IN_LINE); at < to - 1;) {
      name.from = at + 1
      name.to = plainEnd(bytes, name.from)
      if (name.to < 0 || isDigit(bytes[name.from] as number)) return false
      const entry = this.#names.entry(bytes, name.from, name.to)
      if (entry >= NAMES_MAX) this.#forgetNames()
      if (entry >= NAMES_MAX || this.#lastLine[entry] === this.#line) return false
      this.#lastLine[entry] = this.#line
      const colon = skipSpace(bytes, name.to + 1, SPACE_IN_LINE)
      const value = skipSpace(bytes, colon + 1, SPACE_IN_LINE)
      const isText = bytes[value] === QUOTE
      let end = value + NULL_LENGTH
      if (isText) end = plainEnd(bytes, value + 1)
      else if (bytes[value] !== LETTER_N) end = digitsEnd(bytes, value)
      if (end < 0) return false
      const isAdded =
        bytes[value] === LETTER_N ||
        this.add(name, entry, bytes, isText ? value + 1 : value, end, event, into)
      if (!isAdded) return false
      at = skipSpace(bytes, isText ? end + 1 : end, SPACE_IN_LINE)
      if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1, SPACE_IN_LINE)
    }
    return true
  }

  /**
   * Adds an identifier, the value of which is a text without escapes or a number in digits. `index`
   * is that of a declared namespace, or any other number. Returns false where the value may have white space around it.
   */
  add(
    name: Slice,
    index: number,
    bytes: Buffer,
    from: number,
    to: number,
    event: ScannedEvent,
    into: BatchBuilder,
  ): boolean {
    if (to > from && !(isMark(bytes[from] as number) && isMark(bytes[to - 1] as number))) {
      return false
    }
    if (index >= 0 && index < event.who.length)
      event.who[index] = into.who[index]?.entry(bytes, from, to) ?? -1
    const most = this.#end + name.to - name.from + to - from + PUNCTUATION_BYTES
    if (most > this.#json.length) this.#json = Buffer.concat([this.#json], 2 * most)
    const json = this.#json
    let end = this.#end
    json[end] = end === 0 ? OPEN_BRACE : COMMA
    json[end + 1] = QUOTE
    end += 2
    for (let at = name.from; at < name.to; at++) json[end++] = name.bytes[at] as number
    json[end] = QUOTE
    json[end + 1] = COLON
    json[end + 2] = QUOTE
    end += 3
    for (let at = from; at < to; at++) json[end++] = bytes[at] as number
    json[end] = QUOTE
    this.#end = end + 1
    return true
  }
}

/** The end of a text without escapes, -1 for another. */
function plainEnd(bytes: Uint8Array, from: number): number {
  let at = from
  while (IS_TEXT[bytes[at] as number] === 1) at += 1
  return bytes[at] === QUOTE ? at : -1
}

/** The end of a number that is written in digits alone, -1 for another value. */
export function digitsEnd(bytes: Uint8Array, from: number): number {
  let at = from
  while (isDigit(bytes[at] as number)) at += 1
  const isNumber = bytes[at] === POINT || ((bytes[at] as number) | 0x20) === LETTER_E
  return at === from || at - from > DIGITS_MAX || isNumber ? -1 : at
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE
}

/** True for a byte that is an ASCII character and not white space. */
function isMark(byte: number): boolean {
  return byte > SPACE && byte < ASCII_END
}
