/**
 * Growable columns of unboxed numbers. The two classes repeat code on purpose: code shared by two
 * kinds of array is not optimized for either.
 */

/** Most columns of a small batch stay empty. V8 has arrays of 64 bytes among its objects. */
const INTS_AT_FIRST = 16
const DOUBLES_AT_FIRST = 8
const LENGTH_WHEN_USED = 1_024

/** 32-bit integers. */
export class Ints {
  length = 0
  /** Only the first `length` values count. The array is replaced when it grows, so do not keep it. */
  values = new Int32Array(INTS_AT_FIRST)

  push(value: number): void {
    if (this.length === this.values.length) this.#grow(this.length + 1)
    this.values[this.length++] = value
  }

  at(position: number): number {
    return this.values[position] as number
  }

  /** Sets a value. Positions that this adds before it are -1. */
  set(position: number, value: number): void {
    if (position >= this.length) {
      if (position >= this.values.length) this.#grow(position + 1)
      this.values.fill(-1, this.length, position)
      this.length = position + 1
    }
    this.values[position] = value
  }

  /** Makes room for so many more values. */
  reserve(count: number): void {
    if (this.length + count > this.values.length) this.#grow(this.length + count)
  }

  /** Returns a copy of the values. */
  toArray(): Int32Array {
    return this.values.slice(0, this.length)
  }

  #grow(length: number): void {
    const longer = new Int32Array(Math.max(length, this.length * 2, LENGTH_WHEN_USED))
    longer.set(this.values)
    this.values = longer
  }
}

export class Doubles {
  length = 0
  /** Only the first `length` values count, as in `Ints`. */
  values = new Float64Array(DOUBLES_AT_FIRST)

  push(value: number): void {
    if (this.length === this.values.length) this.#grow(this.length + 1)
    this.values[this.length++] = value
  }

  at(position: number): number {
    return this.values[position] as number
  }

  /** Makes room for so many more values. */
  reserve(count: number): void {
    if (this.length + count > this.values.length) this.#grow(this.length + count)
  }

  #grow(length: number): void {
    const longer = new Float64Array(Math.max(length, this.length * 2, LENGTH_WHEN_USED))
    longer.set(this.values)
    this.values = longer
  }
}
