/**
 * Events of a whole history by partition. Beyond a number of events they are moved to a temporary
 * file, so memory does not grow with the history.
 */

import type { DictionaryColumn } from '../base/columns.ts'
import type { EventColumns } from '../decode/event-batch.ts'
import { EventColumnsBuilder, type DecodedEvent } from '../decode/event-columns-builder.ts'
import { OVERSIZED } from './components.ts'
import { SpillFile, type Spilled } from './spill-file.ts'

/** Events in memory, of all partitions. An event takes about 200 bytes. */
export const EVENTS_IN_MEMORY = 600_000

export class PartitionedEvents {
  readonly #builders: EventColumnsBuilder[]
  readonly #spilled: Spilled<EventColumns>[][]
  readonly #inMemoryMax: number
  #inMemory = 0
  readonly #file = new SpillFile()

  constructor(
    shape: { partitions: number; namespaces: number; operands: number },
    inMemoryMax = EVENTS_IN_MEMORY,
  ) {
    const { partitions, namespaces, operands } = shape
    this.#builders = Array.from(
      { length: partitions },
      () => new EventColumnsBuilder(namespaces, operands),
    )
    this.#spilled = this.#builders.map(() => [])
    this.#inMemoryMax = inMemoryMax
  }

  add(partition: number, event: DecodedEvent): void {
    this.#builders[partition]?.add(event)
    this.#inMemory += 1
    if (this.#inMemory >= this.#inMemoryMax) this.#spill()
  }

  /** Adds rows of columns to the partitions of the rows. Rows with one identifier have one partition. */
  addRows(columns: EventColumns, rows: readonly number[], partitions: Int32Array): void {
    const { order, starts } = byPartition(rows, partitions, this.#builders.length)
    const identifiers = columns.identifiers.map(codesOf)
    const placeOf = new Int32Array(columns.count)
    const partitionOf = new Int32Array(columns.count).fill(OVERSIZED)
    this.#builders.forEach((builder, partition) => {
      const own = order.subarray(starts[partition], starts[partition + 1])
      if (own.length === 0) return
      for (let i = 0; i < own.length; i++) {
        placeOf[own[i] as number] = builder.count + i
        partitionOf[own[i] as number] = partition
      }
      const known = { name: codesOf(columns.name), source: codesOf(columns.source), identifiers }
      builder.addRows(columns, own, known)
    })
    for (const { row, kind, a, b } of columns.corrections) {
      const moved = { row: placeOf[row] as number, kind, a, b }
      this.#builders[partitionOf[row] as number]?.addCorrection(moved)
    }
    this.#inMemory += order.length
    if (this.#inMemory >= this.#inMemoryMax) this.#spill()
  }

  /** Returns the events of a partition, which are then forgotten. */
  take(partition: number): EventColumns[] {
    const pieces = (this.#spilled[partition] ?? []).map((one) => this.#file.read(one))
    this.#spilled[partition] = []
    const last = this.#builders[partition]?.take()
    if (last !== undefined && last.count > 0) {
      this.#inMemory -= last.count
      pieces.push(last)
    }
    return pieces
  }

  close(): void {
    this.#file.close()
  }

  #spill(): void {
    for (const [partition, builder] of this.#builders.entries()) {
      if (builder.count > 0) this.#spilled[partition]?.push(this.#file.write(builder.take()))
    }
    this.#inMemory = 0
  }
}

/** Returns the rows sorted by their partitions, and where each partition starts. Rows of no partition
 * are left out. */
function byPartition(
  rows: readonly number[],
  partitions: Int32Array,
  count: number,
): { order: Int32Array; starts: Int32Array } {
  const starts = new Int32Array(count + 1)
  for (const partition of partitions) {
    if (partition >= 0) starts[partition + 1] = (starts[partition + 1] as number) + 1
  }
  for (let p = 0; p < count; p++) {
    starts[p + 1] = (starts[p + 1] as number) + (starts[p] as number)
  }
  const order = new Int32Array(starts[count] as number)
  const next = starts.slice()
  for (let i = 0; i < rows.length; i++) {
    const partition = partitions[i] as number
    if (partition < 0) continue
    const at = next[partition] as number
    order[at] = rows[i] as number
    next[partition] = at + 1
  }
  return { order, starts }
}

/** Returns a cache of codes in a builder for the texts of a dictionary. */
function codesOf({ values }: DictionaryColumn): Int32Array {
  return new Int32Array(values.length).fill(-1)
}
