/**
 * Bloom filter of 64-bit hashes. It shows that a key was never stored, so that a new key, the most
 * common lookup, needs no read.
 *
 * Its size is fixed. Up to a million keys, about one absent key in ten thousand is reported as
 * possibly stored; beyond that the rate grows, and each false report costs a read.
 */

const BITS_LOG2 = 24
const BITS_MASK = 2 ** BITS_LOG2 - 1

export class KeyFilter {
  readonly #words = new Uint32Array(2 ** (BITS_LOG2 - 5))

  add(hashes: BigUint64Array): void {
    const halves = halvesOf(hashes)
    for (let i = 0; i < halves.length; i += 2) {
      const low = halves[i] as number
      const high = halves[i + 1] as number
      this.#set(low)
      this.#set(high)
      this.#set(third(low, high))
    }
  }

  /** Returns false per key if it was certainly never added. */
  mayHave(hashes: BigUint64Array): boolean[] {
    const halves = halvesOf(hashes)
    return Array.from(hashes, (_, key) => {
      const low = halves[key * 2] as number
      const high = halves[key * 2 + 1] as number
      return this.#isSet(low) && this.#isSet(high) && this.#isSet(third(low, high))
    })
  }

  #set(hash: number): void {
    const bit = hash & BITS_MASK
    this.#words[bit >> 5] = (this.#words[bit >> 5] as number) | (1 << (bit & 31))
  }

  #isSet(hash: number): boolean {
    const bit = hash & BITS_MASK
    return ((this.#words[bit >> 5] as number) & (1 << (bit & 31))) !== 0
  }
}

function halvesOf(hashes: BigUint64Array): Uint32Array {
  return new Uint32Array(hashes.buffer, hashes.byteOffset, hashes.length * 2)
}

/** Returns a third position from bits that the first two do not use. */
function third(low: number, high: number): number {
  return ((low >>> 24) | ((high >>> 16) << 8)) >>> 0
}
