/**
 * Finds given values in JSON text in all common spellings: JSON escapes, JSON within JSON, repeated
 * percent-encoding, and either case of ASCII letters.
 *
 * Values and text are first reduced to the same units: the UTF-8 bytes of the text without escapes.
 * The search is an Aho–Corasick automaton: one pass, linear in the bytes, for any number of values.
 */

const QUOTE = 0x22
const PERCENT = 0x25
const PLUS = 0x2b
const SLASH = 0x2f
const BACKSLASH = 0x5c
const LETTER_U = 0x75
const SPACE = 0x20
/** `b`, `f`, `n`, `r`, `t`: control characters, after an odd number of backslashes. */
const CONTROLS = new Map([
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
])
/** Shorter values are found only as whole tokens: `7` is not found in `2027`. */
const LONG = 5
const UNITS_AT_FIRST = 1024
/** Larger buffers are released after use. */
const KEPT_MAX = 1 << 20

/** Value to find, and its replacement. */
export type Sought = { value: string; hash: string }

/** Text without escapes. Unit i is written at `from[i]` to `to[i]`. */
class Units {
  count = 0
  unit = new Uint8Array(UNITS_AT_FIRST)
  /** 1 for letters and digits. A short value must not begin or end inside a word. */
  isWord = new Uint8Array(UNITS_AT_FIRST)
  from = new Int32Array(UNITS_AT_FIRST)
  to = new Int32Array(UNITS_AT_FIRST)

  /** Reads the inside of a JSON text in a range of bytes. */
  read(bytes: Uint8Array, first: number, end: number): void {
    this.count = 0
    this.#reserve(end - first)
    for (let at = first; at < end;) {
      const byte = bytes[at] as number
      if (byte === BACKSLASH) at = this.#escape(bytes, at, end)
      else if (byte === PERCENT) at = this.#percent(bytes, at, end)
      else at = this.#push(byte, at, at + 1)
    }
  }

  #reserve(length: number): void {
    const isAmple = length <= this.unit.length && this.unit.length <= KEPT_MAX
    if (isAmple) return
    const capacity = Math.max(length, UNITS_AT_FIRST)
    this.unit = new Uint8Array(capacity)
    this.isWord = new Uint8Array(capacity)
    this.from = new Int32Array(capacity)
    this.to = new Int32Array(capacity)
  }

  #push(byte: number, from: number, to: number, isLetter = true): number {
    const isUpper = byte >= 0x41 && byte <= 0x5a
    // Form encoding writes a space as a plus sign.
    const unit = isUpper ? byte + SPACE : byte === SPACE ? PLUS : byte
    const isEscapable = unit === BACKSLASH || unit === QUOTE || unit === SLASH
    if (isEscapable && this.count > 0 && this.unit[this.count - 1] === BACKSLASH) {
      // Backslashes that are percent-encoded.
      this.unit[this.count - 1] = unit
      this.to[this.count - 1] = to
      return to
    }
    const isDigit = unit >= 0x30 && unit <= 0x39
    const isText = (unit >= 0x61 && unit <= 0x7a) || isDigit || unit >= 0x80
    this.unit[this.count] = unit
    this.isWord[this.count] = isText && isLetter ? 1 : 0
    this.from[this.count] = from
    this.to[this.count] = to
    this.count += 1
    return to
  }

  /** Reads a run of backslashes and the character they escape, at any level. */
  #escape(bytes: Uint8Array, from: number, end: number): number {
    let at = from
    while (at < end && bytes[at] === BACKSLASH) at += 1
    const isOdd = (at - from) % 2 === 1
    const byte = at < end ? (bytes[at] as number) : 0
    if (byte === LETTER_U) {
      const code = hexAt(bytes, at + 1, at + 5, end)
      if (code >= 0) return this.#codeUnit(bytes, code, from, at + 5, end)
    }
    if (byte === QUOTE || byte === SLASH) return this.#push(byte, from, at + 1)
    const control = CONTROLS.get(byte)
    if (isOdd && control !== undefined) return this.#push(control, from, at + 1)
    this.#push(BACKSLASH, from, at)
    // In JSON within JSON this letter is an escape, so a word may begin after it.
    return control === undefined ? at : this.#push(byte, at, at + 1, false)
  }

  /** Writes a UTF-16 code unit as UTF-8, together with the next one if they are a pair. */
  #codeUnit(bytes: Uint8Array, code: number, from: number, to: number, end: number): number {
    if (code >= 0xd800 && code < 0xdc00) {
      let at = to
      while (at < end && bytes[at] === BACKSLASH) at += 1
      const isNext = at > to && at < end && bytes[at] === LETTER_U
      const low = isNext ? hexAt(bytes, at + 1, at + 5, end) : -1
      if (low >= 0xdc00 && low < 0xe000) {
        return this.#utf8(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00), from, at + 5)
      }
    }
    return this.#utf8(code, from, to)
  }

  #utf8(code: number, from: number, to: number): number {
    if (code < 0x80) return this.#push(code, from, to)
    if (code < 0x800) this.#push(0xc0 | (code >> 6), from, to)
    else {
      if (code < 0x10000) this.#push(0xe0 | (code >> 12), from, to)
      else {
        this.#push(0xf0 | (code >> 18), from, to)
        this.#push(0x80 | ((code >> 12) & 0x3f), from, to)
      }
      this.#push(0x80 | ((code >> 6) & 0x3f), from, to)
    }
    return this.#push(0x80 | (code & 0x3f), from, to)
  }

  /** Reads a percent-encoded byte; `%2540` is one that was encoded twice. */
  #percent(bytes: Uint8Array, from: number, end: number): number {
    let at = from + 1
    while (hexAt(bytes, at, at + 2, end) === PERCENT && hexAt(bytes, at + 2, at + 4, end) >= 0) {
      at += 2
    }
    const byte = hexAt(bytes, at, at + 2, end)
    return byte < 0 ? this.#push(PERCENT, from, from + 1) : this.#push(byte, from, at + 2)
  }
}

/** Parses hexadecimal digits; -1 if one is invalid. */
function hexAt(bytes: Uint8Array, from: number, to: number, end: number): number {
  if (to > end) return -1
  let number = 0
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number
    const lower = byte | 0x20
    if (byte >= 0x30 && byte <= 0x39) number = number * 16 + byte - 0x30
    else if (lower >= 0x61 && lower <= 0x66) number = number * 16 + lower - 0x57
    else return -1
  }
  return number
}

type Pattern = { units: Uint8Array; hash: string; isLong: boolean }

const shared = new Units()

function patternOf({ value, hash }: Sought): Pattern {
  const json = Buffer.from(JSON.stringify(value))
  shared.read(json, 1, json.length - 1)
  const units = shared.unit.slice(0, shared.count)
  return { units, hash, isLong: isLong(value) }
}

/** Returns whether a value is also found inside words. */
export function isLong(value: string): boolean {
  return value.length >= LONG * 2 || [...value].length >= LONG
}

/** Aho–Corasick automaton. Node 0 is the root; children are a list of siblings. */
export class ValueMatcher {
  readonly #patterns: Pattern[]
  readonly #symbol: Uint8Array
  readonly #child: Int32Array
  readonly #sibling: Int32Array
  readonly #fail: Int32Array
  /** Pattern that ends at a node, plus 1. */
  readonly #ending: Int32Array
  /** Next shorter suffix at which a pattern ends. */
  readonly #shorter: Int32Array
  readonly #roots = new Int32Array(256)

  constructor(sought: Iterable<Sought>) {
    this.#patterns = Array.from(sought, patternOf)
    const size = this.#patterns.reduce((sum, { units }) => sum + units.length, 1)
    this.#symbol = new Uint8Array(size)
    this.#child = new Int32Array(size)
    this.#sibling = new Int32Array(size)
    this.#fail = new Int32Array(size)
    this.#ending = new Int32Array(size)
    this.#shorter = new Int32Array(size)
    this.#link(this.#grow())
  }

  /** Builds the trie and returns the number of nodes. */
  #grow(): number {
    let count = 1
    this.#patterns.forEach(({ units }, pattern) => {
      let node = 0
      for (const unit of units) {
        let next = this.#next(node, unit)
        if (next === 0) {
          next = count
          count += 1
          this.#symbol[next] = unit
          this.#sibling[next] = this.#child[node] as number
          this.#child[node] = next
          if (node === 0) this.#roots[unit] = next
        }
        node = next
      }
      if (this.#ending[node] === 0) this.#ending[node] = pattern + 1
    })
    return count
  }

  #link(count: number): void {
    const queue = new Int32Array(count)
    let queued = 1
    for (let head = 0; head < queued; head++) {
      const node = queue[head] as number
      for (let child = this.#child[node] as number; child > 0;) {
        queue[queued] = child
        queued += 1
        const fail = node === 0 ? 0 : this.#step(this.#fail[node] as number, this.#symbol[child])
        this.#fail[child] = fail
        this.#shorter[child] =
          (this.#ending[fail] as number) > 0 ? fail : (this.#shorter[fail] ?? 0)
        child = this.#sibling[child] as number
      }
    }
  }

  #next(node: number, unit: number): number {
    if (node === 0) return this.#roots[unit] as number
    let child = this.#child[node] as number
    while (child > 0 && this.#symbol[child] !== unit) child = this.#sibling[child] as number
    return child
  }

  #step(from: number, unit = 0): number {
    let node = from
    for (;;) {
      const next = this.#next(node, unit)
      if (next > 0 || node === 0) return next
      node = this.#fail[node] as number
    }
  }

  /** Reports values in the inside of a JSON text, in order and without overlaps. Short ones are
   * reported as whole tokens if `isShortToo`. */
  find(
    bytes: Uint8Array,
    first: number,
    end: number,
    isShortToo: boolean,
    found: (from: number, to: number, hash: string) => void,
  ): void {
    shared.read(bytes, first, end)
    const matches: { from: number; to: number; hash: string }[] = []
    for (let at = 0, node = 0; at < shared.count; at++) {
      node = this.#step(node, shared.unit[at])
      const pattern = this.#longestAt(node, at, isShortToo)
      if (pattern === undefined) continue
      matches.push({ from: at + 1 - pattern.units.length, to: at + 1, hash: pattern.hash })
    }
    matches.sort((a, b) => a.from - b.from || b.to - a.to)
    let done = 0
    for (const { from, to, hash } of matches) {
      if (from < done) continue
      found(shared.from[from] as number, shared.to[to - 1] as number, hash)
      done = to
    }
  }

  #longestAt(node: number, at: number, isShortToo: boolean): Pattern | undefined {
    const isEnding = (this.#ending[node] as number) > 0
    let suffix = isEnding ? node : (this.#shorter[node] as number)
    // At most four of these belong to short values.
    for (; suffix > 0; suffix = this.#shorter[suffix] as number) {
      const pattern = this.#patterns[(this.#ending[suffix] as number) - 1] as Pattern
      if (pattern.isLong) return pattern
      if (isShortToo && standsAlone(at + 1 - pattern.units.length, at + 1)) return pattern
    }
    return undefined
  }
}

/** Returns whether a word ends before these units and another begins after them. */
function standsAlone(from: number, to: number): boolean {
  const goesOn = (a: number, b: number) => shared.isWord[a] === 1 && shared.isWord[b] === 1
  return !(from > 0 && goesOn(from - 1, from)) && !(to < shared.count && goesOn(to - 1, to))
}
