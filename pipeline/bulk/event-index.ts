/**
 * Index of the events of a load: the 64-bit hash of each event id, and the fingerprint. An open
 * addressing table of 32-bit words, because a map of bigints takes six times the memory.
 */

/** Words of an entry: hash and fingerprint, low word first. */
const WORDS = 4
const ENTRIES_AT_FIRST = 1 << 16

export class EventIndex {
  #words = new Uint32Array(ENTRIES_AT_FIRST * WORDS)
  #isUsed = new Uint8Array(ENTRIES_AT_FIRST)
  #mask = ENTRIES_AT_FIRST - 1
  #count = 0

  /** Adds the events at `rows`. */
  add(hashes: BigUint64Array, fingerprints: BigUint64Array, rows: readonly number[]): void {
    const keys = wordsOf(hashes)
    const values = wordsOf(fingerprints)
    for (const row of rows) {
      if (2 * this.#count > this.#mask) this.#grow()
      const [low, high] = [keys[2 * row] as number, keys[2 * row + 1] as number]
      const at = this.#find(low, high)
      if (this.#isUsed[at] === 1) continue
      this.#put(at, low, high, values[2 * row] as number, values[2 * row + 1] as number)
      this.#count += 1
    }
  }

  /** Returns the fingerprints of those of the given hashes that were added. */
  fingerprints(hashes: BigUint64Array): Map<bigint, bigint> {
    const keys = wordsOf(hashes)
    const found = new Map<bigint, bigint>()
    for (let row = 0; row < hashes.length; row++) {
      const at = this.#find(keys[2 * row] as number, keys[2 * row + 1] as number)
      if (this.#isUsed[at] === 0) continue
      const low = BigInt(this.#words[at * WORDS + 2] as number)
      const high = BigInt(this.#words[at * WORDS + 3] as number)
      found.set(hashes[row] as bigint, (high << 32n) | low)
    }
    return found
  }

  /** Returns the place of a hash, or the free place for it. */
  #find(low: number, high: number): number {
    let at = (low ^ Math.imul(high, 0x9e37_79b1)) & this.#mask
    while (
      this.#isUsed[at] === 1 &&
      (this.#words[at * WORDS] !== low || this.#words[at * WORDS + 1] !== high)
    ) {
      at = (at + 1) & this.#mask
    }
    return at
  }

  #put(at: number, ...words: number[]): void {
    this.#isUsed[at] = 1
    this.#words.set(words, at * WORDS)
  }

  #grow(): void {
    const [words, isUsed] = [this.#words, this.#isUsed]
    const size = 2 * isUsed.length
    this.#words = new Uint32Array(size * WORDS)
    this.#isUsed = new Uint8Array(size)
    this.#mask = size - 1
    for (let from = 0; from < isUsed.length; from++) {
      if (isUsed[from] === 0) continue
      const entry = words.subarray(from * WORDS, (from + 1) * WORDS)
      const at = this.#find(entry[0] as number, entry[1] as number)
      this.#isUsed[at] = 1
      this.#words.set(entry, at * WORDS)
    }
  }
}

/** Two words a value, the low one first. */
function wordsOf(values: BigUint64Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, 2 * values.length)
}
