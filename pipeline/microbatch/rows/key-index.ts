/** Index of row keys, to find the earlier version of a row: an open-addressing table of row numbers. */

import type { Hashes } from '../../base/hashes.ts'

const NONE = -1

export class KeyIndex {
  readonly #keys: Hashes
  readonly #slots: Int32Array
  /** By row: 1 if it was taken, or if a later row has its key. */
  readonly #isGone: Uint8Array

  /** The keys must not be changed afterwards. */
  constructor(keys: Hashes) {
    this.#keys = keys
    this.#isGone = new Uint8Array(keys.length)
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * keys.length + 1))).fill(NONE)
    for (let row = 0; row < keys.length; row++) {
      const slot = this.#find(keys, row)
      const earlier = this.#slots[slot] as number
      if (earlier !== NONE) this.#isGone[earlier] = 1
      this.#slots[slot] = row
    }
  }

  /** Returns the row with a key, once; -1 without any and after that. */
  take(keys: Hashes, row: number): number {
    const found = this.#slots[this.#find(keys, row)] as number
    if (found === NONE || this.#isGone[found] === 1) return NONE
    this.#isGone[found] = 1
    return found
  }

  /** Returns whether a row was not taken. */
  isLeft(row: number): boolean {
    return this.#isGone[row] === 0
  }

  /** Returns the slot of a key, or the empty one where it belongs. */
  #find(keys: Hashes, row: number): number {
    const mask = this.#slots.length - 1
    let slot = (keys.words[row * 4] as number) & mask
    for (;;) {
      const known = this.#slots[slot] as number
      if (known === NONE || this.#keys.isSame(known, keys, row)) return slot
      slot = (slot + 1) & mask
    }
  }
}
