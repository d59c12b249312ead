/** Dictionary of texts that are looked up by their UTF-8 bytes, without making a string. */

import { randomInt } from 'node:crypto'
import { copyBytes, newBytes, type Slice } from './bytes.ts'

const ENTRIES_AT_FIRST = 1 << 6
const BYTES_AT_FIRST = 1 << 10

/** Random start of the hashes: nobody can send keys that are made to share a slot. */
const SEED = randomInt(2 ** 31)

export class ByteDictionary {
  /** Bytes of all entries, one after another. */
  #heap = newBytes(BYTES_AT_FIRST)
  /** By entry: its hash, and where its bytes end. */
  #hashes = new Int32Array(ENTRIES_AT_FIRST)
  #ends = new Int32Array(ENTRIES_AT_FIRST)
  #size = 0
  /** By slot: the entry plus 1, or 0. The length is a power of two, at least twice the size. */
  #slots = new Int32Array(2 * ENTRIES_AT_FIRST)

  /** Number of entries. A new entry gets this number. */
  get size(): number {
    return this.#size
  }

  /** Returns the number of the entry with these bytes, which is added if it is missing. */
  entry(text: Slice): number {
    const hash = hashOf(text)
    const mask = this.#slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = (this.#slots[slot] as number) - 1
      if (entry < 0) return this.#add(text, hash, slot)
      if (this.#hashes[entry] === hash && this.#isAt(entry, text)) return entry
    }
  }

  #isAt(entry: number, { bytes, from, to }: Slice): boolean {
    let start = entry === 0 ? 0 : (this.#ends[entry - 1] as number)
    if ((this.#ends[entry] as number) - start !== to - from) return false
    const heap = this.#heap.view
    const { view } = bytes
    let at = from
    for (; at + 4 <= to; at += 4) {
      if (heap.getInt32(start, true) !== view.getInt32(at, true)) return false
      start += 4
    }
    for (; at < to; at++) if (heap.getUint8(start++) !== view.getUint8(at)) return false
    return true
  }

  #add({ bytes, from, to }: Slice, hash: number, slot: number): number {
    const entry = this.#size
    const start = entry === 0 ? 0 : (this.#ends[entry - 1] as number)
    const end = start + to - from
    if (end > this.#heap.array.length) {
      const larger = newBytes(Math.max(end, 2 * this.#heap.array.length))
      larger.array.set(this.#heap.array.subarray(0, start))
      this.#heap = larger
    }
    copyBytes(bytes.view, from, to, this.#heap.view, start)
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

/** Hashes four bytes at a time. Ids are made of another hash. */
function hashOf({ bytes, from, to }: Slice): number {
  const { view } = bytes
  let hash = SEED ^ (to - from)
  let at = from
  for (; at + 4 <= to; at += 4) {
    hash = Math.imul(hash ^ view.getInt32(at, true), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  for (; at < to; at++) hash = Math.imul(hash ^ view.getUint8(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
  return hash ^ (hash >>> 13)
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * array.length)
  larger.set(array)
  return larger
}
