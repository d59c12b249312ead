/**
 * Index of events: the 64-bit hash of each event id, and the fingerprint. An open addressing table of
 * 32-bit words, because a map of bigints takes six times the memory and an object a look-up.
 */

import { randomInt } from 'node:crypto'
import { wordsOf } from './hash.ts'

/** Random start of the slots: nobody can send ids that are made to share one. */
const SEED = randomInt(2 ** 31)

/** Words of an entry: hash and fingerprint, low word first. */
export const WORDS = 4
const ENTRIES_AT_FIRST = 1 << 10
/** Entries from which a table doubles, so that little of it is free. */
const LARGE = 1 << 18

/** Result of looking an event up: absent, with another fingerprint, or with the same. */
export type Match = 'none' | 'other' | 'same'

/** Slots of an index: the words of entries, and which are used. */
export type EventSlots = { words: Uint32Array; isUsed: Uint8Array }

export class EventIndex {
  #words: Uint32Array
  #isUsed: Uint8Array
  #mask: number
  #count = 0

  /** `size` is the number of slots at first, a power of two. */
  constructor(size = ENTRIES_AT_FIRST) {
    this.#words = new Uint32Array(size * WORDS)
    this.#isUsed = new Uint8Array(size)
    this.#mask = size - 1
  }

  /** Returns an index of all given events. */
  static of(hashes: BigUint64Array, fingerprints: BigUint64Array): EventIndex {
    let size = ENTRIES_AT_FIRST
    while (3 * size < 4 * hashes.length) size *= 2
    const index = new EventIndex(size)
    const [keys, values] = [wordsOf(hashes), wordsOf(fingerprints)]
    for (let row = 0; row < hashes.length; row++) index.#add(keys, values, row)
    return index
  }

  get count(): number {
    return this.#count
  }

  /** The table itself. An entry is in the first free slot from that of `slotOf` on. */
  get slots(): EventSlots {
    return { words: this.#words, isUsed: this.#isUsed }
  }

  /** Adds the events at `rows`. */
  add(hashes: BigUint64Array, fingerprints: BigUint64Array, rows: readonly number[]): void {
    const [keys, values] = [wordsOf(hashes), wordsOf(fingerprints)]
    for (let i = 0; i < rows.length; i++) this.#add(keys, values, rows[i] as number)
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

  /** Compares events with those that were added. Returns the result by row. */
  matches(hashes: BigUint64Array, fingerprints: BigUint64Array): Match[] {
    const [keys, values] = [wordsOf(hashes), wordsOf(fingerprints)]
    const matches: Match[] = []
    for (let row = 0; row < hashes.length; row++) {
      const at = this.#find(keys[2 * row] as number, keys[2 * row + 1] as number)
      const isSame =
        this.#words[at * WORDS + 2] === values[2 * row] &&
        this.#words[at * WORDS + 3] === values[2 * row + 1]
      matches.push(this.#isUsed[at] === 0 ? 'none' : isSame ? 'same' : 'other')
    }
    return matches
  }

  #add(keys: Uint32Array, values: Uint32Array, row: number): void {
    if (4 * this.#count >= 3 * this.#isUsed.length) this.#grow()
    const [low, high] = [keys[2 * row] as number, keys[2 * row + 1] as number]
    const at = this.#find(low, high)
    if (this.#isUsed[at] === 1) return
    this.#isUsed[at] = 1
    this.#words[at * WORDS] = low
    this.#words[at * WORDS + 1] = high
    this.#words[at * WORDS + 2] = values[2 * row] as number
    this.#words[at * WORDS + 3] = values[2 * row + 1] as number
    this.#count += 1
  }

  /** Returns the place of a hash, or the free place for it. */
  #find(low: number, high: number): number {
    let at = slotOf(low, high) & this.#mask
    while (
      this.#isUsed[at] === 1 &&
      (this.#words[at * WORDS] !== low || this.#words[at * WORDS + 1] !== high)
    ) {
      at = (at + 1) & this.#mask
    }
    return at
  }

  #grow(): void {
    const [words, isUsed] = [this.#words, this.#isUsed]
    const size = (isUsed.length < LARGE ? 4 : 2) * isUsed.length
    this.#words = new Uint32Array(size * WORDS)
    this.#isUsed = new Uint8Array(size)
    this.#mask = size - 1
    for (let from = 0; from < isUsed.length; from++) {
      if (isUsed[from] === 0) continue
      const at = this.#find(words[from * WORDS] as number, words[from * WORDS + 1] as number)
      this.#isUsed[at] = 1
      for (let w = 0; w < WORDS; w++)
        this.#words[at * WORDS + w] = words[from * WORDS + w] as number
    }
  }
}

/** Rows of a batch by event id. Ids are compared, not only their hashes, which can be forged. */
export class RowsById {
  readonly #words: Uint32Array
  readonly #ids: readonly string[]
  /** By slot: the row plus 1, or 0. */
  readonly #slots: Int32Array
  readonly #mask: number
  /** Rows by id, where another id has the same hash. */
  readonly #collided = new Map<string, number>()

  /** `hashes` are those of the `ids`. */
  constructor(ids: readonly string[], hashes: BigUint64Array) {
    this.#ids = ids
    this.#words = wordsOf(hashes)
    let size = 16
    while (size < 2 * ids.length) size *= 2
    this.#slots = new Int32Array(size)
    this.#mask = size - 1
  }

  /** Adds a row unless an added one has its id. Returns the row that has it, which may be this one. */
  add(row: number): number {
    const [low, high] = [this.#words[2 * row] as number, this.#words[2 * row + 1] as number]
    let slot = slotOf(low, high) & this.#mask
    for (;;) {
      const known = (this.#slots[slot] as number) - 1
      if (known < 0) {
        this.#slots[slot] = row + 1
        return row
      }
      if (this.#words[2 * known] === low && this.#words[2 * known + 1] === high) {
        return this.#ids[known] === this.#ids[row] ? known : this.#addCollided(row)
      }
      slot = (slot + 1) & this.#mask
    }
  }

  #addCollided(row: number): number {
    const id = this.#ids[row] as string
    const known = this.#collided.get(id)
    if (known === undefined) this.#collided.set(id, row)
    return known ?? row
  }
}

/** Returns where the search for a hash starts, to be masked. */
export function slotOf(low: number, high: number): number {
  const mixed = Math.imul(low ^ SEED, 0x85eb_ca6b) ^ Math.imul(high, 0x9e37_79b1)
  return mixed ^ (mixed >>> 15)
}
