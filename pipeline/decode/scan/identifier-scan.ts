/** Identifiers of a scanned line: which of them name somebody, and their JSON as it is stored. */

import { ByteDictionary } from '../byte-dictionary.ts'
import { copyBytes, newBytes, sliceOf, type Slice } from '../bytes.ts'
import type { BatchBuilder } from '../event-batch-builder.ts'
import {
  CLOSE_BRACE,
  COLON,
  COMMA,
  endOfPlain,
  isDigit,
  OPEN_BRACE,
  POINT,
  QUOTE,
  skipSpace,
  SPACE,
  SPACE_IN_LINE,
} from './json-scan.ts'
import { EXACT_DIGITS_MAX } from '../limits.ts'
import type { ScannedEvent } from './scanned-event.ts'

const LETTER_N = 0x6e
const LETTER_E = 0x65
const ASCII_END = 0x80
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
  readonly #name = sliceOf('')
  readonly #value = sliceOf('')
  #json = newBytes(BYTES_AT_FIRST)
  #end = 0

  constructor(namespaces: readonly string[]) {
    this.#namespaces = namespaces
    this.#forgetNames()
  }

  #forgetNames(): void {
    this.#names = new ByteDictionary()
    for (const namespace of this.#namespaces) this.#names.entry(sliceOf(namespace))
  }

  /** Begins the next line. */
  begin(event: ScannedEvent): void {
    this.#line += 1
    this.#end = 0
    const { who } = event
    for (let n = 0; n < who.length; n++) who[n] = -1
  }

  /** Ends the line: the event gets its identifiers as JSON. */
  end({ identifiers }: ScannedEvent): void {
    if (this.#end === 0) this.#json.array[this.#end++] = OPEN_BRACE
    this.#json.array[this.#end++] = CLOSE_BRACE
    identifiers.bytes = this.#json
    identifiers.from = 0
    identifiers.to = this.#end
  }

  /**
   * Adds the members of a valid JSON object. Returns false where it must be parsed: a name has an
   * escape, begins with a digit or comes twice, or `add` returns false.
   */
  addAll({ bytes, from, to }: Slice, event: ScannedEvent, into: BatchBuilder): boolean {
    const { array } = bytes
    const name = this.#name
    const value = this.#value
    name.bytes = value.bytes = bytes
    for (let at = skipSpace(array, from + 1, SPACE_IN_LINE); at < to - 1;) {
      name.from = at + 1
      name.to = plainEnd(array, name.from)
      if (name.to < 0 || isDigit(array[name.from] as number)) return false
      const entry = this.#names.entry(name)
      if (entry >= NAMES_MAX) this.#forgetNames()
      if (entry >= NAMES_MAX || this.#lastLine[entry] === this.#line) return false
      this.#lastLine[entry] = this.#line
      const colon = skipSpace(array, name.to + 1, SPACE_IN_LINE)
      const start = skipSpace(array, colon + 1, SPACE_IN_LINE)
      const first = array[start]
      if (first === LETTER_N) at = start + NULL_LENGTH
      else {
        value.from = first === QUOTE ? start + 1 : start
        value.to = first === QUOTE ? plainEnd(array, value.from) : digitsEnd(array, start)
        if (value.to < 0 || !this.add(name, entry, value, event, into)) return false
        at = first === QUOTE ? value.to + 1 : value.to
      }
      at = skipSpace(array, at, SPACE_IN_LINE)
      if (array[at] === COMMA) at = skipSpace(array, at + 1, SPACE_IN_LINE)
    }
    return true
  }

  /**
   * Adds an identifier, the value of which is a text without escapes or a number in digits. `index`
   * is that of a declared namespace, or any other number. Returns false where the value may have
   * white space around it.
   */
  add(name: Slice, index: number, value: Slice, event: ScannedEvent, into: BatchBuilder): boolean {
    const { bytes, from, to } = value
    const isTrimmed =
      from === to || (isMark(bytes.array[from] as number) && isMark(bytes.array[to - 1] as number))
    if (!isTrimmed) return false
    if (index >= 0 && index < event.who.length)
      event.who[index] = into.who[index]?.entry(value) ?? -1
    this.#write(name, value)
    return true
  }

  #write(name: Slice, { bytes, from, to }: Slice): void {
    const most = this.#end + name.to - name.from + to - from + PUNCTUATION_BYTES
    if (most > this.#json.array.length) {
      const larger = newBytes(2 * most)
      larger.array.set(this.#json.array)
      this.#json = larger
    }
    const { array, view } = this.#json
    let end = this.#end
    array[end] = end === 0 ? OPEN_BRACE : COMMA
    array[end + 1] = QUOTE
    end = copyBytes(name.bytes.view, name.from, name.to, view, end + 2)
    array[end] = QUOTE
    array[end + 1] = COLON
    array[end + 2] = QUOTE
    end = copyBytes(bytes.view, from, to, view, end + 3)
    array[end] = QUOTE
    this.#end = end + 1
  }
}

/** The end of a text without escapes, -1 for another. */
function plainEnd(bytes: Uint8Array, from: number): number {
  const at = endOfPlain(bytes, from)
  return bytes[at] === QUOTE ? at : -1
}

/** The end of a number that is written in digits alone, -1 for another value. */
export function digitsEnd(bytes: Uint8Array, from: number): number {
  let at = from
  while (isDigit(bytes[at] as number)) at += 1
  const isNumber = bytes[at] === POINT || ((bytes[at] as number) | 0x20) === LETTER_E
  return at === from || at - from > EXACT_DIGITS_MAX || isNumber ? -1 : at
}

/** True for a byte that is an ASCII character and not white space. */
function isMark(byte: number): boolean {
  return byte > SPACE && byte < ASCII_END
}
