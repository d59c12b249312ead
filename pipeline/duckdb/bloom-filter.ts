/**
 * A Bloom filter of 64-bit hashes: tells for certain that a key has never been stored, so that a
 * new key, the commonest of all that are looked up, costs no read.
 *
 * Its size is fixed. Up to a million keys about one absent key in ten thousand is taken for a
 * stored one; beyond, ever more, and then a read finds nothing.
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

  /** By key: false when it has certainly never been added. */
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

/** Of the bits that the first two leave out. */
function third(low: number, high: number): number {
  return ((low >>> 24) | ((high >>> 16) << 8)) >>> 0
}
