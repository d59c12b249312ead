/**
 * Accepted events of a load in arrival order, with the components of their identifiers. They wait
 * here until all are read, because only then the components are complete.
 */

import type { DictionaryColumn } from '../base/columns.ts'
import type { EventBatch, EventColumns } from '../decode/event-batch.ts'
import { Components, type Partitions } from './components.ts'
import { EVENTS_IN_MEMORY, type PartitionedEvents } from './partitioned-events.ts'
import { SpillFile, type Spilled } from './spill-file.ts'

/** Bytes of a line that count as an event where memory is bounded by a number of events. A longer line
 * counts as several events. */
const EVENT_BYTES_MAX = 2_048

/** No partition yet, which differs from `OVERSIZED`. */
const UNKNOWN = -2

/** Columns of a decoded batch, and which of its rows were accepted. */
type Kept = { columns: EventColumns; rows: readonly number[] }

export class KeptEvents {
  readonly components = new Components()
  readonly #kept: (Kept | Spilled<Kept>)[] = []
  readonly #file = new SpillFile()
  readonly #inMemoryMax: number
  #count = 0
  /** Number of events, where long ones count several times. */
  #weight = 0

  constructor(inMemoryMax = EVENTS_IN_MEMORY) {
    this.#inMemoryMax = inMemoryMax
  }

  get count(): number {
    return this.#count
  }

  /** Returns how many times an event counts on average. */
  get meanWeight(): number {
    return this.#count === 0 ? 1 : this.#weight / this.#count
  }

  /** Adds the rows of a batch that were accepted. `landedRow` is -1 for the others. */
  add(batch: EventBatch, rows: readonly number[], landedRow: Int32Array): void {
    this.#connect(batch, rows, landedRow)
    const kept = { columns: columnsOf(batch), rows }
    this.#count += rows.length
    this.#kept.push(this.#weight > this.#inMemoryMax ? this.#file.write(kept) : kept)
  }

  /** Moves all events to their partitions. */
  distribute(partitions: Partitions, into: PartitionedEvents): void {
    for (let one = this.#kept.shift(); one !== undefined; one = this.#kept.shift()) {
      const { columns, rows } = 'columns' in one ? one : this.#file.read(one)
      into.addRows(columns, rows, partitionsOf(columns, rows, partitions))
    }
  }

  close(): void {
    this.#file.close()
  }

  #connect(batch: EventBatch, rows: readonly number[], landedRow: Int32Array): void {
    const { components } = this
    const numbers = batch.identifiers.map(({ values }) => new Int32Array(values.length).fill(-1))
    for (const row of rows) {
      let first = -1
      for (let n = 0; n < numbers.length; n++) {
        const { codes, values } = batch.identifiers[n] as DictionaryColumn
        const code = codes[row] as number
        if (code < 0) continue
        const known = numbers[n] as Int32Array
        if ((known[code] as number) < 0) known[code] = components.number(values[code] as string)
        if (first < 0) first = known[code] as number
        else components.connect(first, known[code] as number)
      }
      const weight = weightOf(batch, row)
      this.#weight += weight
      components.count(first, weight)
    }
    for (const { row, a, b } of batch.corrections) {
      if ((landedRow[row] as number) < 0) continue
      const names = batch.identifiers.map(({ codes, values }) => values[codes[row] as number])
      components.add([a, b, ...names.filter((name) => name !== undefined)], 0)
    }
  }
}

/** Returns how many times an event counts. */
function weightOf({ lineFrom, lineTo }: EventBatch, row: number): number {
  return Math.ceil(((lineTo[row] as number) - (lineFrom[row] as number)) / EVENT_BYTES_MAX)
}

export function columnsOf(batch: EventBatch): EventColumns {
  const { count, eventId, name, source, occurredAt, ordinal } = batch
  const { identifiers, operands, corrections } = batch
  return { count, eventId, name, source, occurredAt, ordinal, identifiers, operands, corrections }
}

/** Returns the partitions of rows, by their first identifier. */
function partitionsOf(
  { identifiers }: EventColumns,
  rows: readonly number[],
  partitions: Partitions,
): Int32Array {
  const found = new Int32Array(rows.length).fill(UNKNOWN)
  for (const { codes, values } of identifiers) {
    const known = new Int32Array(values.length).fill(UNKNOWN)
    for (let i = 0; i < rows.length; i++) {
      const code = codes[rows[i] as number] as number
      if (code < 0 || found[i] !== UNKNOWN) continue
      if (known[code] === UNKNOWN) known[code] = partitions.of(values[code] as string)
      found[i] = known[code] as number
    }
  }
  return found
}
