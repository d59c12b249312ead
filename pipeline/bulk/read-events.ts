/**
 * Events that a load has read, by the hashes of their ids. The latest are in an index in memory. A full
 * index moves to a temporary file, and a Bloom filter of it stays: two bytes an event instead of 24.
 */

import { BloomFilter } from '../base/bloom-filter.ts'
import { EventIndex, slotOf, WORDS } from '../base/event-index.ts'
import { wordsOf } from '../base/hash.ts'
import { SpillFile } from './spill-file.ts'

/** Events of an index in memory, so that it has 2^20 slots at the most. */
const EVENTS_MAX = 650_000
const FILTER_BITS = 16
const FILTER_PROBES = 8
/** Slots that are read at once. Most entries are in the first few. */
const SLOTS_READ = 32
const SLOT_BYTES = 4 * WORDS

/** Index in the file. */
type Spilled = { filter: BloomFilter; words: number; isUsed: number; slots: number }

export class ReadEvents {
  #index = new EventIndex()
  readonly #spilled: Spilled[] = []
  readonly #file = new SpillFile()
  readonly #eventsMax: number

  constructor(eventsMax = EVENTS_MAX) {
    this.#eventsMax = eventsMax
  }

  /** Adds the events at `rows`, which are new. */
  add(hashes: BigUint64Array, fingerprints: BigUint64Array, rows: readonly number[]): void {
    this.#index.add(hashes, fingerprints, rows)
    if (this.#index.count >= this.#eventsMax) this.#spill()
  }

  /** Returns the fingerprints of those of the given hashes that were added. */
  fingerprints(hashes: BigUint64Array): Map<bigint, bigint> {
    const found = this.#index.fingerprints(hashes)
    const words = wordsOf(hashes)
    for (const spilled of this.#spilled) {
      for (let row = 0; row < hashes.length; row++) {
        const [low, high] = [words[2 * row] as number, words[2 * row + 1] as number]
        if (!spilled.filter.mayHave(low, high)) continue
        const fingerprint = this.#find(spilled, low, high)
        if (fingerprint !== null) found.set(hashes[row] as bigint, fingerprint)
      }
    }
    return found
  }

  close(): void {
    this.#file.close()
  }

  #spill(): void {
    const { words, isUsed } = this.#index.slots
    const slots = isUsed.length
    const filter = new BloomFilter(new Uint32Array((slots * FILTER_BITS) / 32), FILTER_PROBES)
    for (let slot = 0; slot < slots; slot++) {
      if (isUsed[slot] === 0) continue
      filter.add(words[slot * WORDS] as number, words[slot * WORDS + 1] as number)
    }
    this.#spilled.push({
      filter,
      words: this.#file.writeBytes(new Uint8Array(words.buffer)),
      isUsed: this.#file.writeBytes(isUsed),
      slots,
    })
    this.#index = new EventIndex()
  }

  #find(spilled: Spilled, low: number, high: number): bigint | null {
    let slot = slotOf(low, high) & (spilled.slots - 1)
    for (;;) {
      const count = Math.min(SLOTS_READ, spilled.slots - slot)
      const isUsed = this.#file.readBytes(spilled.isUsed + slot, count)
      const bytes = this.#file.readBytes(spilled.words + slot * SLOT_BYTES, count * SLOT_BYTES)
      for (let i = 0; i < count; i++) {
        if (isUsed[i] === 0) return null
        const at = i * SLOT_BYTES
        if (bytes.readUInt32LE(at) !== low || bytes.readUInt32LE(at + 4) !== high) continue
        return bytes.readBigUInt64LE(at + 8)
      }
      slot = (slot + count) & (spilled.slots - 1)
    }
  }
}
