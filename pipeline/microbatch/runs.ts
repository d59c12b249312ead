/** Run-length encoding of columns whose successive values are mostly equal, for JSON. */

import type { Json } from '../base/json.ts'

/** A column as its values, or as lengths and values of its runs. */
export type Packed<Value> = Value[] | { n: number[]; v: Value[] }

/** Runs are written if there are at most this share of as many as values. */
const RUNS_MAX = 0.4

/** Packs a column. Values that are objects are runs of their own. */
export function pack<Value extends Json>(values: Value[]): Packed<Value> {
  const runsMax = Math.floor(values.length * RUNS_MAX)
  const packed = { n: [] as number[], v: [] as Value[] }
  let last: Value | undefined
  for (const value of values) {
    if (value === last) {
      packed.n[packed.n.length - 1] = (packed.n[packed.n.length - 1] as number) + 1
      continue
    }
    if (packed.v.length === runsMax) return values
    last = value
    packed.v.push(value)
    packed.n.push(1)
  }
  return packed
}

/** Returns the values of a packed column. */
export function unpack<Value extends Json>(packed: Packed<Value>): Value[] {
  if (Array.isArray(packed)) return packed
  return packed.v.flatMap((value, run) =>
    Array.from<Value>({ length: packed.n[run] as number }).fill(value),
  )
}
