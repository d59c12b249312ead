/**
 * Growable columns of hashes as words, without an object a hash. The two classes repeat code on
 * purpose: code shared by two widths is not optimized for either.
 */

import type { HashPrefix } from './hash-prefix.ts'
import { hashHalves, highHalf, lowHalf, writeHash } from './hash.ts'

/** Most columns of a small batch stay empty. V8 has arrays of 64 bytes among its objects. */
const LENGTH_AT_FIRST = 4
const LENGTH_WHEN_USED = 64

/** 128-bit hashes. Four zeros, the hash of the empty text, are null. */
export class Hashes {
  length = 0
  /** Four words a hash, whose bytes are big-endian. Only the first `length` hashes count. The array is
   * replaced when it grows, so do not keep it. */
  words = new Int32Array(LENGTH_AT_FIRST * 4)

  /** Adds the hash of a text. */
  push(text: string): void {
    hashHalves(text)
    this.#pushLast()
  }

  /** Adds the hash of a prefix and the end of its text. */
  pushEnd(prefix: HashPrefix, end: string): void {
    prefix.end(end)
    this.#pushLast()
  }

  pushNull(): void {
    const at = this.#add()
    this.words.fill(0, at, at + 4)
  }

  pushFrom(other: Hashes, row: number): void {
    const at = this.#add()
    const { words } = this
    const from = row * 4
    words[at] = other.words[from] as number
    words[at + 1] = other.words[from + 1] as number
    words[at + 2] = other.words[from + 2] as number
    words[at + 3] = other.words[from + 3] as number
  }

  /** Makes room for so many more hashes. */
  reserve(count: number): void {
    const words = (this.length + count) * 4
    if (words > this.words.length) this.#grow(words)
  }

  isNull(row: number): boolean {
    const { words } = this
    const at = row * 4
    return words[at] === 0 && words[at + 1] === 0 && words[at + 2] === 0 && words[at + 3] === 0
  }

  isSame(row: number, other: Hashes, rowOfOther: number): boolean {
    const a = this.words
    const b = other.words
    const at = row * 4
    const to = rowOfOther * 4
    return (
      a[at] === b[to] &&
      a[at + 1] === b[to + 1] &&
      a[at + 2] === b[to + 2] &&
      a[at + 3] === b[to + 3]
    )
  }

  /** Returns 16 bytes a hash, big-endian, without copying. */
  bytes(): Uint8Array {
    return new Uint8Array(this.words.buffer, 0, this.length * 16)
  }

  #pushLast(): void {
    const at = this.#add()
    writeHash(this.words, at)
  }

  /** Returns the position of the words of a new hash. */
  #add(): number {
    const at = this.length * 4
    if (at === this.words.length) this.#grow(at + 4)
    this.length += 1
    return at
  }

  #grow(words: number): void {
    const longer = new Int32Array(Math.max(words, this.length * 8, LENGTH_WHEN_USED * 4))
    longer.set(this.words)
    this.words = longer
  }
}

/** 64-bit hashes. */
export class Hashes64 {
  length = 0
  /** Two words a hash, the low one first, as in `Hashes`. */
  words = new Int32Array(LENGTH_AT_FIRST * 2)

  /** Adds the hash of a text. */
  push(text: string): void {
    hashHalves(text)
    this.pushHalves(lowHalf(), highHalf())
  }

  /** Makes room for so many more hashes. */
  reserve(count: number): void {
    const words = (this.length + count) * 2
    if (words > this.words.length) this.#grow(words)
  }

  pushHalves(low: number, high: number): void {
    const at = this.length * 2
    if (at === this.words.length) this.#grow(at + 2)
    this.words[at] = low
    this.words[at + 1] = high
    this.length += 1
  }

  pushFrom(other: Hashes64, row: number): void {
    this.pushHalves(other.words[row * 2] as number, other.words[row * 2 + 1] as number)
  }

  isSame(row: number, { words }: Hashes64, rowOfOther: number): boolean {
    return (
      this.words[row * 2] === words[rowOfOther * 2] &&
      this.words[row * 2 + 1] === words[rowOfOther * 2 + 1]
    )
  }

  /** Returns the hashes, unsigned, without copying. */
  values(): BigUint64Array {
    return new BigUint64Array(this.words.buffer, 0, this.length)
  }

  #grow(words: number): void {
    const longer = new Int32Array(Math.max(words, this.length * 4, LENGTH_WHEN_USED * 2))
    longer.set(this.words)
    this.words = longer
  }
}
