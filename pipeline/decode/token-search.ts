/**
 * Searches a text for many values at once as whole tokens, by their lengths and rolling hashes.
 *
 * A match must not begin or end within a word. Letter case is ignored. The time is linear in the
 * text for a given set of values: one comparison per length at each token start. A match is a
 * candidate, which the caller confirms.
 */

import { foldTable, wordTable } from './text-forms.ts'

/** Length and rolling hash of a value. A value cannot be recovered from 24 bits. */
export type Sketch = { length: number; hash: number }

/** Number of starts between two computations of the prefix hashes. */
const WINDOW = 65_536

type Length = { length: number; power: number; hashes: Set<number> }

export class TokenSearch {
  readonly #multiplier: number
  /** Ascending by length. */
  readonly #lengths: Length[] = []
  /** By the low 16 bits of a hash: whether some value has them. Rejects most starts quickly. */
  readonly #filter = new Uint8Array(0x10000)
  #prefixes = new Int32Array(0)
  /** By position in the window: whether it is within a word. */
  #isWithin = new Uint8Array(0)

  /** `seed` is any 32 bits. Sketches are comparable only under the same seed. */
  constructor(seed: number) {
    this.#multiplier = (seed & ~7) | 5
  }

  /** Returns the sketch of a value. */
  sketchOf(value: string): Sketch {
    const folded = foldTable()
    let hash = 0
    for (let at = 0; at < value.length; at++) {
      hash = (Math.imul(hash, this.#multiplier) + (folded[value.charCodeAt(at)] as number)) | 0
    }
    return { length: value.length, hash: mixed(hash) }
  }

  /** Adds a value to search for. An empty value is never found. */
  add({ length, hash }: Sketch): void {
    if (length === 0) return
    this.#filter[hash & 0xffff] = 1
    const known = this.#lengths.find((one) => one.length === length)
    if (known !== undefined) {
      known.hashes.add(hash)
      return
    }
    let power = 1
    for (let n = 0; n < length; n++) power = Math.imul(power, this.#multiplier)
    this.#lengths.push({ length, power, hashes: new Set([hash]) })
    this.#lengths.sort((a, b) => a.length - b.length)
  }

  /** Yields start and end of candidates, by start, then by length. */
  *find(text: string): Generator<[from: number, to: number]> {
    const longest = this.#lengths.at(-1)?.length ?? 0
    if (longest === 0) return
    const window = Math.max(WINDOW, longest)
    for (let first = 0; first < text.length; first += window) {
      const end = Math.min(text.length, first + window + longest)
      this.#readWindow(text, first, end)
      const prefixes = this.#prefixes
      const isWithin = this.#isWithin
      const filter = this.#filter
      const last = Math.min(text.length, first + window)
      for (let from = first; from < last; from++) {
        if (isWithin[from - first] === 1) continue
        const before = prefixes[from - first] as number
        for (const { length, power, hashes } of this.#lengths) {
          const to = from + length
          if (to > end) break
          if (isWithin[to - first] === 1) continue
          const hash = mixed((prefixes[to - first] as number) - Math.imul(before, power))
          if (filter[hash & 0xffff] === 1 && hashes.has(hash)) yield [from, to]
        }
      }
    }
  }

  /** Computes the rolling hashes and word boundaries from `first` to `end`. */
  #readWindow(text: string, first: number, end: number): void {
    if (this.#prefixes.length <= end - first) {
      this.#prefixes = new Int32Array(end - first + 1)
      this.#isWithin = new Uint8Array(end - first + 1)
    }
    const prefixes = this.#prefixes
    const isWithin = this.#isWithin
    const folded = foldTable()
    const words = wordTable()
    const multiplier = this.#multiplier
    let hash = 0
    let wordBefore = words[text.charCodeAt(first - 1)] ?? 0
    for (let at = first; at < end; at++) {
      const unit = text.charCodeAt(at)
      const word = words[unit] as number
      isWithin[at - first] = wordBefore & word
      wordBefore = word
      hash = (Math.imul(hash, multiplier) + (folded[unit] as number)) | 0
      prefixes[at - first + 1] = hash
    }
    isWithin[end - first] = wordBefore & (words[text.charCodeAt(end)] ?? 0)
  }
}

/** Returns 24 bits of a hash; each depends on all bits of it. */
function mixed(hash: number): number {
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 8
}
