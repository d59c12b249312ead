/**
 * Columns of numbers that grow: pushed one by one, without a box each, and read by position. Both
 * are written out, because code shared by two kinds of array is compiled for neither.
 */

const LENGTH_AT_FIRST = 1_024

/** Whole numbers of 32 bits. */
export class Ints {
  length = 0
  /** The first `length` count. They are replaced when they grow: do not hold on to them. */
  values = new Int32Array(LENGTH_AT_FIRST)

  push(value: number): void {
    if (this.length === this.values.length) {
      const longer = new Int32Array(this.length * 2)
      longer.set(this.values)
      this.values = longer
    }
    this.values[this.length++] = value
  }

  at(position: number): number {
    return this.values[position] as number
  }
}

export class Doubles {
  length = 0
  /** As those of `Ints`. */
  values = new Float64Array(LENGTH_AT_FIRST)

  push(value: number): void {
    if (this.length === this.values.length) {
      const longer = new Float64Array(this.length * 2)
      longer.set(this.values)
      this.values = longer
    }
    this.values[this.length++] = value
  }

  at(position: number): number {
    return this.values[position] as number
  }
}
