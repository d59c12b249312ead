/**
 * Accepted events of a load in arrival order, with the components of their identifiers. They wait
 * here until all are read, because only then the components are complete.
 */

import type { DictionaryColumn } from '../base/columns.ts'
import type { Correction, EventBatch, EventColumns } from '../decode/event-batch.ts'
import type { DecodedEvent } from '../decode/event-columns-builder.ts'
import { Components, type Partitions } from './components.ts'
import { EVENTS_IN_MEMORY, type PartitionedEvents } from './partitioned-events.ts'
import { SpillFile, type Spilled } from './spill-file.ts'

/** Columns of a decoded batch, and which of its rows were accepted. */
type Kept = { columns: EventColumns; rows: readonly number[] }

export class KeptEvents {
  readonly components = new Components()
  readonly #kept: (Kept | Spilled<Kept>)[] = []
  readonly #file = new SpillFile()
  readonly #inMemoryMax: number
  #count = 0

  constructor(inMemoryMax = EVENTS_IN_MEMORY) {
    this.#inMemoryMax = inMemoryMax
  }

  get count(): number {
    return this.#count
  }

  /** Adds the rows of a batch that were accepted. `landedRow` is -1 for the others. */
  add(batch: EventBatch, rows: readonly number[], landedRow: Int32Array): void {
    this.#connect(batch, rows, landedRow)
    const kept = { columns: columnsOf(batch), rows }
    this.#count += rows.length
    this.#kept.push(this.#count > this.#inMemoryMax ? this.#file.write(kept) : kept)
  }

  /** Moves all events to their partitions. */
  distribute(partitions: Partitions, into: PartitionedEvents): void {
    for (const one of this.#kept.splice(0)) {
      const { columns, rows } = 'columns' in one ? one : this.#file.read(one)
      const correctionsOf = correctionsByRow(columns)
      const partitionOf = cachedByCode(columns.identifiers, (name) => partitions.of(name))
      for (const row of rows) {
        const event = eventAt(columns, row, correctionsOf.get(row) ?? [])
        into.add(partitionOf(row), event)
      }
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
      components.count(first, 1)
    }
    for (const { row, a, b } of batch.corrections) {
      if ((landedRow[row] as number) < 0) continue
      const names = batch.identifiers.map(({ codes, values }) => values[codes[row] as number])
      components.add([a, b, ...names.filter((name) => name !== undefined)], 0)
    }
  }
}

export function columnsOf(batch: EventBatch): EventColumns {
  const { count, eventId, name, source, occurredAt, ordinal } = batch
  const { identifiers, operands, corrections } = batch
  return { count, eventId, name, source, occurredAt, ordinal, identifiers, operands, corrections }
}

function correctionsByRow({ corrections }: EventColumns): Map<number, Correction[]> {
  const byRow = new Map<number, Correction[]>()
  for (const correction of corrections) {
    byRow.set(correction.row, [...(byRow.get(correction.row) ?? []), correction])
  }
  return byRow
}

/** Returns a function of rows that has the value of the row's first identifier, computed once for
 * each. */
function cachedByCode(
  identifiers: readonly DictionaryColumn[],
  valueOf: (name: string) => number,
): (row: number) => number {
  const known = identifiers.map((): number[] => [])
  return (row) => {
    const n = identifiers.findIndex(({ codes }) => (codes[row] as number) >= 0)
    const { codes, values } = identifiers[n] as DictionaryColumn
    const code = codes[row] as number
    const cache = known[n] as number[]
    return (cache[code] ??= valueOf(values[code] as string))
  }
}

function eventAt(
  columns: EventColumns,
  row: number,
  corrections: DecodedEvent['corrections'],
): DecodedEvent {
  const { name, source, identifiers, operands } = columns
  return {
    eventId: columns.eventId[row] as string,
    name: name.values[name.codes[row] as number] as string,
    source: source.values[source.codes[row] as number] as string,
    occurredAt: columns.occurredAt[row] as number,
    ordinal: columns.ordinal[row] as number,
    identifiers: identifiers.map(({ codes, values }) => values[codes[row] as number]),
    operands: operands.map((values) => values[row]),
    corrections,
  }
}
