/**
 * Hash index in typed arrays: the position of the latest record per key in a log. Keys are found by
 * 64 bits of hash; the caller compares the full key, because hashes can collide.
 */

const CAPACITY_MIN = 1 << 10
/** The number of slots doubles when a larger share is in use. */
const LOAD_MAX = 0.6

/** Position of a record: offset and length in bytes. */
export type Place = { offset: number; length: number }

export class KeyIndex {
  #capacity: number
  /** Two hash words and the length per slot. */
  #words: Uint32Array
  /** Offset per slot; 0 means empty. */
  #offsets: Float64Array
  #count = 0

  constructor(capacity = CAPACITY_MIN) {
    this.#capacity = capacity
    this.#words = new Uint32Array(3 * capacity)
    this.#offsets = new Float64Array(capacity)
  }

  get count(): number {
    return this.#count
  }

  /** Returns the position of the record with this hash for which `isKey` holds, or null. */
  find(hash: bigint, isKey: (place: Place) => boolean): Place | null {
    const slot = this.#slot(hash, isKey)
    return this.#offsets[slot] === 0 ? null : this.#at(slot)
  }

  /** Sets the position of a key. Returns the previous one, or null. */
  set(hash: bigint, place: Place, isKey: (place: Place) => boolean): Place | null {
    if (this.#count >= LOAD_MAX * this.#capacity) this.#grow()
    const slot = this.#slot(hash, isKey)
    const before = this.#offsets[slot] === 0 ? null : this.#at(slot)
    if (before === null) this.#count += 1
    this.#put(slot, Number(hash & 0xffff_ffffn), Number(hash >> 32n), place)
    return before
  }

  /** Yields all positions, in no particular order. */
  *places(): Generator<Place> {
    for (let slot = 0; slot < this.#capacity; slot++) {
      if (this.#offsets[slot] !== 0) yield this.#at(slot)
    }
  }

  /** Returns the index as bytes, for `KeyIndex.read`. */
  bytes(): Buffer {
    const { buffer: offsets } = this.#offsets
    const { buffer: words } = this.#words
    return Buffer.concat([Buffer.from(offsets), Buffer.from(words)])
  }

  /** Reads what `bytes` returned. Returns null if the length is invalid. */
  static read(bytes: Buffer): KeyIndex | null {
    const capacity = bytes.length / 20
    if (!Number.isInteger(Math.log2(capacity))) return null
    const index = new KeyIndex(capacity)
    const copy = new Uint8Array(bytes).buffer
    index.#offsets = new Float64Array(copy.slice(0, 8 * capacity))
    index.#words = new Uint32Array(copy.slice(8 * capacity))
    index.#count = index.#offsets.reduce((count, offset) => count + Number(offset !== 0), 0)
    return index
  }

  #slot(hash: bigint, isKey: (place: Place) => boolean): number {
    const [low, high] = [Number(hash & 0xffff_ffffn), Number(hash >> 32n)]
    let slot = low & (this.#capacity - 1)
    while (this.#offsets[slot] !== 0) {
      const isHash = this.#words[3 * slot] === low && this.#words[3 * slot + 1] === high
      if (isHash && isKey(this.#at(slot))) break
      slot = (slot + 1) & (this.#capacity - 1)
    }
    return slot
  }

  #at(slot: number): Place {
    return {
      offset: this.#offsets[slot] as number,
      length: this.#words[3 * slot + 2] as number,
    }
  }

  #put(slot: number, low: number, high: number, { offset, length }: Place): void {
    this.#offsets[slot] = offset
    this.#words.set([low, high, length], 3 * slot)
  }

  #grow(): void {
    const { 0: offsets, 1: words } = [this.#offsets, this.#words] as const
    this.#capacity *= 2
    this.#offsets = new Float64Array(this.#capacity)
    this.#words = new Uint32Array(3 * this.#capacity)
    for (let from = 0; from < offsets.length; from++) {
      if (offsets[from] === 0) continue
      const low = words[3 * from] as number
      let slot = low & (this.#capacity - 1)
      while (this.#offsets[slot] !== 0) slot = (slot + 1) & (this.#capacity - 1)
      const place = { offset: offsets[from] as number, length: words[3 * from + 2] as number }
      this.#put(slot, low, words[3 * from + 1] as number, place)
    }
  }
}
