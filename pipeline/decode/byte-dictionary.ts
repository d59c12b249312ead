/** Dictionary of texts that are looked up by their UTF-8 bytes, without making a string. */

import { randomInt } from 'node:crypto'

const ENTRIES_AT_FIRST = 1 << 6
const BYTES_AT_FIRST = 1 << 10

/** Random start of the hashes: nobody can send keys that are made to share a slot. */
const SEED = randomInt(2 ** 31)

export class ByteDictionary {
  /** Bytes of all entries, one after another. */
  #heap = new Uint8Array(BYTES_AT_FIRST)
  /** By entry: its hash, and where its bytes end. */
  #hashes = new Int32Array(ENTRIES_AT_FIRST)
  #ends = new Int32Array(ENTRIES_AT_FIRST)
  #size = 0
  /** By slot: the entry plus 1, or 0. The length is a power of two, at least twice the size. */
  #slots = new Int32Array(2 * ENTRIES_AT_FIRST)

  /** Number of entries. An entry found at this number or above was not there before. */
  get size(): number {
    return this.#size
  }

  /** Returns the number of the entry with these bytes, which is added if it is missing. */
  entry(bytes: Uint8Array, from: number, to: number): number {
    const hash = hashOf(bytes, from, to)
    const mask = this.#slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = (this.#slots[slot] as number) - 1
      if (entry < 0) return this.#add(bytes, from, to, hash, slot)
      if (this.#hashes[entry] === hash && this.#isAt(entry, bytes, from, to)) return entry
    }
  }

  #isAt(entry: number, bytes: Uint8Array, from: number, to: number): boolean {
    const start = entry === 0 ? 0 : (this.#ends[entry - 1] as number)
    if ((this.#ends[entry] as number) - start !== to - from) return false
    const heap = this.#heap
    for (let i = to - from - 1; i >= 0; i--) if (heap[start + i] !== bytes[from + i]) return false
    return true
  }

  #add(bytes: Uint8Array, from: number, to: number, hash: number, slot: number): number {
    const entry = this.#size
    const start = entry === 0 ? 0 : (this.#ends[entry - 1] as number)
    const end = start + to - from
    if (end > this.#heap.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#heap.length))
      larger.set(this.#heap.subarray(0, start))
      this.#heap = larger
    }
    this.#heap.set(bytes.subarray(from, to), start)
    if (entry === this.#hashes.length) {
      this.#hashes = doubled(this.#hashes)
      this.#ends = doubled(this.#ends)
    }
    this.#hashes[entry] = hash
    this.#ends[entry] = end
    this.#slots[slot] = entry + 1
    this.#size += 1
    if (2 * this.#size > this.#slots.length) this.#rehash()
    return entry
  }

  #rehash(): void {
    const slots = new Int32Array(2 * this.#slots.length)
    const mask = slots.length - 1
    for (let entry = 0; entry < this.#size; entry++) {
      let slot = (this.#hashes[entry] as number) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = entry + 1
    }
    this.#slots = slots
  }
}

/** Four bytes at a time; not the hash that ids are made of. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = SEED ^ (to - from)
  let at = from
  for (; at + 4 <= to; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    hash = Math.imul(hash ^ word, 0x9e3779b1)
    hash ^= hash >>> 15
  }
  for (; at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
  return hash ^ (hash >>> 13)
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * array.length)
  larger.set(array)
  return larger
}
