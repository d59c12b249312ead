/**
 * Bloom filter of 64-bit hashes: shows that one was never added. Reports that it may have been are
 * wrong at a rate that depends on the bits and probes for each.
 */

export class BloomFilter {
  /** Bits of the filter; their number is a power of two. */
  readonly words: Uint32Array
  readonly #mask: number
  readonly #probes: number

  /** `probes` bits are set per hash. */
  constructor(words: Uint32Array, probes: number) {
    this.words = words
    this.#mask = 32 * words.length - 1
    this.#probes = probes
  }

  /** Adds a hash by its halves. Its bits are an arithmetic sequence from one, by the other. */
  add(low: number, high: number): void {
    for (let i = 0, at = low; i < this.#probes; i++, at = (at + (high | 1)) >>> 0) {
      const bit = at & this.#mask
      this.words[bit >>> 5] = (this.words[bit >>> 5] as number) | (1 << (bit & 31))
    }
  }

  /** Returns false if a hash was certainly never added. */
  mayHave(low: number, high: number): boolean {
    for (let i = 0, at = low; i < this.#probes; i++, at = (at + (high | 1)) >>> 0) {
      const bit = at & this.#mask
      if (((this.words[bit >>> 5] as number) & (1 << (bit & 31))) === 0) return false
    }
    return true
  }
}
