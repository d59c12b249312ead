/**
 * Hash of texts that begin alike: their common beginning is mixed once, and no text is put together.
 * The hash of a prefix and an end equals that of the whole text (`hash.ts`).
 */

import { finish, h1, h2, h3, h4, mix, mixLastUnits, mixUnits, setLanes, unit } from './murmur.ts'

const BLOCK = 8

export class HashPrefix {
  readonly #a: number
  readonly #b: number
  readonly #c: number
  readonly #d: number
  /** Units that do not fill a block. */
  readonly #rest: string
  readonly #length: number

  /** Takes the lanes over. */
  private constructor(rest: string, length: number) {
    this.#a = h1
    this.#b = h2
    this.#c = h3
    this.#d = h4
    this.#rest = rest
    this.#length = length
  }

  static of(text: string): HashPrefix {
    setLanes(0, 0, 0, 0)
    return new HashPrefix(text.slice(mixUnits(text, 0)), text.length)
  }

  /** Returns the prefix that continues with a text. */
  plus(text: string): HashPrefix {
    const length = this.#length + text.length
    setLanes(this.#a, this.#b, this.#c, this.#d)
    const missing = this.#missing
    if (text.length < missing) return new HashPrefix(this.#rest + text, length)
    this.#mixAcross(text)
    return new HashPrefix(text.slice(mixUnits(text, missing)), length)
  }

  /** Makes the hash of the prefix and the end of a text; `writeHash`, `lowHalf` and `highHalf` of
   * `hash.ts` return it. */
  end(text: string): void {
    setLanes(this.#a, this.#b, this.#c, this.#d)
    const missing = this.#missing
    this.#mixAcross(text)
    if (text.length > missing) mixLastUnits(text, mixUnits(text, missing))
    finish(this.#length + text.length)
  }

  /** Number of units of a text that fill the block of the rest; 0 without a rest. */
  get #missing(): number {
    return this.#rest === '' ? 0 : BLOCK - this.#rest.length
  }

  /** Mixes the rest and the beginning of a text as one block. */
  #mixAcross(text: string): void {
    const rest = this.#rest
    if (rest === '') return
    mix(
      across(rest, text, 0) | (across(rest, text, 1) << 16),
      across(rest, text, 2) | (across(rest, text, 3) << 16),
      across(rest, text, 4) | (across(rest, text, 5) << 16),
      across(rest, text, 6) | (across(rest, text, 7) << 16),
    )
  }
}

/** Returns a unit of a rest followed by a text, 0 behind the end. */
function across(rest: string, text: string, at: number): number {
  return at < rest.length ? rest.charCodeAt(at) : unit(text, at - rest.length)
}
