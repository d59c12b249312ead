/** Rows grouped by a key: a counting sort without an object per group. */

import type { Events, RowList } from '../stages/events.ts'
import { Ints } from '../stages/growable-array.ts'

const NO_ROWS = new Int32Array(0)

export class RowGroups {
  /** Keys in the order of their first rows. */
  readonly keys: Int32Array
  /** By key: its position in `keys`, or -1. */
  readonly #groupOf: Int32Array
  /** By group: where its rows end. */
  readonly #ends: Int32Array
  readonly #rows: Int32Array
  /** By group, once asked for. */
  readonly #views: Int32Array[] = []

  /** Groups `rows`; the key of `rows[i]` is `keys[i]`, below `keysMax`. */
  constructor(events: Events, rows: RowList, keys: RowList, keysMax: number) {
    const groupOf = new Int32Array(keysMax).fill(-1)
    const found = new Ints()
    const counts = new Ints()
    for (let i = 0; i < rows.length; i++) {
      const key = keys[i] as number
      let group = groupOf[key] as number
      if (group < 0) {
        group = found.length
        groupOf[key] = group
        found.push(key)
        counts.push(0)
      }
      counts.values[group] = counts.at(group) + 1
    }
    const ends = new Int32Array(found.length)
    for (let group = 1; group < ends.length; group++) {
      ends[group] = (ends[group - 1] as number) + counts.at(group - 1)
    }
    const sorted = new Int32Array(rows.length)
    for (let i = 0; i < rows.length; i++) {
      const group = groupOf[keys[i] as number] as number
      sorted[(ends[group] as number)++] = rows[i] as number
    }
    this.keys = found.toArray()
    this.#groupOf = groupOf
    this.#ends = ends
    this.#rows = sorted
    for (let group = 0; group < ends.length; group++) sortRows(events, this.at(group))
  }

  /** Returns the rows of a key in event order; empty if it has none. */
  of(key: number): Int32Array {
    const group = key < this.#groupOf.length ? (this.#groupOf[key] as number) : -1
    return group < 0 ? NO_ROWS : this.at(group)
  }

  /** Returns the rows of a group in event order. */
  at(group: number): Int32Array {
    let view = this.#views[group]
    if (view === undefined) {
      view = this.#rows.subarray(group === 0 ? 0 : this.#ends[group - 1], this.#ends[group])
      this.#views[group] = view
    }
    return view
  }
}

/** Returns the row numbers from `first` up to `end`. */
export function rowsFrom(first: number, end: number): Int32Array {
  const rows = new Int32Array(end - first)
  for (let i = 0; i < rows.length; i++) rows[i] = first + i
  return rows
}

/** Sorts rows in place. Most are in event order as they come, and sorting copies. */
export function sortRows(events: Events, rows: Int32Array): Int32Array {
  for (let i = 1; i < rows.length; i++) {
    if (events.inOrder(rows[i - 1] as number, rows[i] as number) < 0) continue
    return rows.sort((a, b) => events.inOrder(a, b))
  }
  return rows
}

/** Merges rows that are in event order. The result may be one of the arguments. */
export function mergeRows(events: Events, a: Int32Array, b: Int32Array): Int32Array {
  if (a.length === 0) return b
  if (b.length === 0) return a
  const merged = new Int32Array(a.length + b.length)
  let [nextA, nextB] = [0, 0]
  for (let i = 0; i < merged.length; i++) {
    const isA =
      nextB === b.length ||
      (nextA < a.length && events.inOrder(a[nextA] as number, b[nextB] as number) < 0)
    merged[i] = (isA ? a[nextA++] : b[nextB++]) as number
  }
  return merged
}
