/**
 * Numbers of 64-bit hashes, from 0 in the order in which they are added. An open addressing table of
 * typed arrays: a map of texts takes five times the memory.
 */

import { slotOf } from './event-index.ts'

const NUMBERS_AT_FIRST = 1 << 10

export class HashNumbers {
  /** By number: the hash, low word first. */
  #words = new Uint32Array(2 * NUMBERS_AT_FIRST)
  /** By slot: the number plus 1, or 0. */
  #slots = new Int32Array(2 * NUMBERS_AT_FIRST)
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Returns the number of a hash, which is added unless it is known. */
  add(low: number, high: number): number {
    if (2 * this.#count >= this.#slots.length) this.#grow()
    const slot = this.#slotFor(low >>> 0, high >>> 0)
    const known = (this.#slots[slot] as number) - 1
    if (known >= 0) return known
    const number = this.#count
    this.#words[2 * number] = low
    this.#words[2 * number + 1] = high
    this.#count += 1
    this.#slots[slot] = this.#count
    return number
  }

  /** Returns the number of a hash, or -1. */
  find(low: number, high: number): number {
    return (this.#slots[this.#slotFor(low >>> 0, high >>> 0)] as number) - 1
  }

  /** Returns the low word of the hash of a number. */
  lowOf(number: number): number {
    return this.#words[2 * number] as number
  }

  /** Returns whether the hash of a number is less than that of another. */
  isLess(number: number, other: number): boolean {
    const [high, low] = [this.#words[2 * number + 1] as number, this.#words[2 * number] as number]
    const otherHigh = this.#words[2 * other + 1] as number
    return high < otherHigh || (high === otherHigh && low < (this.#words[2 * other] as number))
  }

  #slotFor(low: number, high: number): number {
    const mask = this.#slots.length - 1
    let slot = slotOf(low, high) & mask
    for (;;) {
      const known = (this.#slots[slot] as number) - 1
      if (known < 0) return slot
      if (this.#words[2 * known] === low && this.#words[2 * known + 1] === high) return slot
      slot = (slot + 1) & mask
    }
  }

  #grow(): void {
    const words = new Uint32Array(2 * this.#words.length)
    words.set(this.#words)
    this.#words = words
    this.#slots = new Int32Array(2 * this.#slots.length)
    for (let number = 0; number < this.#count; number++) {
      const slot = this.#slotFor(words[2 * number] as number, words[2 * number + 1] as number)
      this.#slots[slot] = number + 1
    }
  }
}
