/**
 * Compares the current rows of two warehouses. Reads each view on both sides in key order and
 * merges them, so memory does not grow with the tables.
 */

import { createHash } from 'node:crypto'
import { assert } from '../base/errors.ts'
import { compareText } from '../base/event-order.ts'
import type { Row, Warehouse } from '../warehouse/warehouse.ts'

/** Views that must be equal, and the key columns of each. */
const KEYS: { [view: string]: string[] } = {
  event_profiles: ['event_id'],
  sessions: ['session_id'],
  identities: ['namespace', 'value', 'profile_id'],
  identity_conflicts: ['event_id', 'kept', 'refused'],
  transitions: ['transition_id'],
  states: ['state_id'],
  cycles: ['cycle_id'],
  rejections: ['event_id', 'journey', 'instance_id'],
  funnel_attempts: ['attempt_id'],
  funnel_attempt_steps: ['attempt_id', 'step_no'],
}

/** Differing rows shown per view. */
const SHOWN_MAX = 5

/** A row that differs; undefined on a side that lacks it. */
export type Difference = { left: Row | undefined; right: Row | undefined }

export type Comparison = {
  view: string
  rows: [left: number, right: number]
  /** SHA-256 over all rows in the order of their keys. */
  hashes: [left: string, right: string]
  differing: number
  /** The first `SHOWN_MAX` of them. */
  differences: Difference[]
}

export async function compareWarehouses(
  left: Warehouse,
  right: Warehouse,
  onView?: (view: string) => void,
): Promise<Comparison[]> {
  const comparisons: Comparison[] = []
  for (const [view, keys] of Object.entries(KEYS)) {
    onView?.(view)
    comparisons.push(await compareView(left, right, view, keys))
  }
  return comparisons
}

async function compareView(
  left: Warehouse,
  right: Warehouse,
  view: string,
  keys: string[],
): Promise<Comparison> {
  const a = new Side(left, view, keys)
  const b = new Side(right, view, keys)
  let differing = 0
  const differences: Difference[] = []
  await a.next()
  await b.next()
  while (a.row !== undefined || b.row !== undefined) {
    const order = a.row === undefined ? 1 : b.row === undefined ? -1 : compareKeys(a.key, b.key)
    if (order !== 0 || a.text !== b.text) {
      differing += 1
      if (differences.length < SHOWN_MAX) {
        differences.push({
          left: order <= 0 ? a.row : undefined,
          right: order >= 0 ? b.row : undefined,
        })
      }
    }
    if (order <= 0) await a.next()
    if (order >= 0) await b.next()
  }
  const hashes: Comparison['hashes'] = [a.hash(), b.hash()]
  return { view, rows: [a.count, b.count], hashes, differing, differences }
}

/** Reads a view in key order. */
class Side {
  readonly #chunks: AsyncIterator<Row[]>
  readonly #keys: string[]
  readonly #hash = createHash('sha256')
  #chunk: Row[] = []
  #at = 0
  row: Row | undefined
  key: unknown[] = []
  text = ''
  count = 0

  constructor(warehouse: Warehouse, view: string, keys: string[]) {
    this.#keys = keys
    const rows = warehouse.stream(`select * from ${view} order by ${keys.join(', ')}`)
    this.#chunks = rows[Symbol.asyncIterator]()
  }

  async next(): Promise<void> {
    while (this.#at >= this.#chunk.length) {
      const { done, value } = await this.#chunks.next()
      if (done === true) {
        this.row = undefined
        return
      }
      this.#chunk = value
      this.#at = 0
    }
    const row = this.#chunk[this.#at++] as Row
    const key = this.#keys.map((name) => row[name])
    assert(this.count === 0 || compareKeys(this.key, key) <= 0, 'rows are sorted by key')
    this.row = row
    this.key = key
    this.text = JSON.stringify(Object.entries(row).sort((a, b) => compareText(a[0], b[0])))
    this.count += 1
    this.#hash.update(`${this.text}\n`)
  }

  hash(): string {
    return this.#hash.digest('hex')
  }
}

function compareKeys(a: unknown[], b: unknown[]): number {
  for (const [i, left] of a.entries()) {
    const right = b[i]
    const order =
      typeof left === 'number' && typeof right === 'number'
        ? left - right
        : compareText(String(left), String(right))
    if (order !== 0) return order
  }
  return 0
}
