/**
 * Hash index in typed arrays: the position of the latest record per key in a log. Keys are found by
 * two 32-bit words of hash; the caller compares the full key, because hashes can collide.
 *
 * A slot is a position in the index: `slotOf` finds that of a key, whether it is taken or not.
 */

const CAPACITY_MIN = 1 << 10
/** The number of slots doubles when a larger share is in use. */
const LOAD_MAX = 0.6

/** Position of a record: offset and length in bytes. */
export type Place = { offset: number; length: number }

/** Returns whether the record at a position has the key in question. */
export type IsKey = (offset: number, length: number) => boolean

/** Words of a key in a space, by those of the key: equal keys of two spaces get different slots. */
export function wordsIn(
  space: number,
  [low, high]: readonly [number, number],
): [low: number, high: number] {
  return [(low ^ Math.imul(space + 1, 0x9e3779b1)) >>> 0, high >>> 0]
}

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

  /** Returns the slot of the key with this hash for which `isKey` holds, or the empty one where it
   * belongs. It is valid until the next `set`. */
  slotOf(low: number, high: number, isKey: IsKey): number {
    const [lowWord, highWord] = [low >>> 0, high >>> 0]
    const words = this.#words
    const offsets = this.#offsets
    let slot = lowWord & (this.#capacity - 1)
    while (offsets[slot] !== 0) {
      const isHash = words[3 * slot] === lowWord && words[3 * slot + 1] === highWord
      if (isHash && isKey(offsets[slot] as number, words[3 * slot + 2] as number)) break
      slot = (slot + 1) & (this.#capacity - 1)
    }
    return slot
  }

  /** Offset of the record of a slot; 0: the slot is empty. */
  offsetAt(slot: number): number {
    return this.#offsets[slot] as number
  }

  lengthAt(slot: number): number {
    return this.#words[3 * slot + 2] as number
  }

  /** Sets the place of a key in its slot. */
  set(slot: number, low: number, high: number, offset: number, length: number): void {
    const isNew = this.#offsets[slot] === 0
    this.#put(slot, low, high, offset, length)
    if (!isNew) return
    this.#count += 1
    if (this.#count >= LOAD_MAX * this.#capacity) this.#grow()
  }

  /** Yields all positions, in no particular order. */
  *places(): Generator<Place> {
    for (let slot = 0; slot < this.#capacity; slot++) {
      const offset = this.offsetAt(slot)
      if (offset !== 0) yield { offset, length: this.lengthAt(slot) }
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

  #put(slot: number, low: number, high: number, offset: number, length: number): void {
    this.#offsets[slot] = offset
    this.#words[3 * slot] = low
    this.#words[3 * slot + 1] = high
    this.#words[3 * slot + 2] = length
  }

  #grow(): void {
    const { 0: offsets, 1: words } = [this.#offsets, this.#words] as const
    this.#capacity *= 2
    this.#offsets = new Float64Array(this.#capacity)
    this.#words = new Uint32Array(3 * this.#capacity)
    for (let from = 0; from < offsets.length; from++) {
      const offset = offsets[from] as number
      if (offset === 0) continue
      const low = words[3 * from] as number
      let slot = low & (this.#capacity - 1)
      while (this.#offsets[slot] !== 0) slot = (slot + 1) & (this.#capacity - 1)
      this.#put(slot, low, words[3 * from + 1] as number, offset, words[3 * from + 2] as number)
    }
  }
}
