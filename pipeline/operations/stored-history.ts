/** The stored events of a span of batches, for a replay. */

import { HOUR } from '../base/clock.ts'
import type { StoredDecoder } from '../decode/stored-decoder.ts'
import type { Components } from '../bulk/components.ts'
import { connectStored } from '../bulk/stored-components.ts'
import {
  derivedColumns,
  rangesOf,
  STORED_COLUMNS,
  STORED_EVENTS_MAX,
  STORED_UNITS_MAX,
} from './stored-events.ts'
import type { Row, Warehouse } from '../warehouse/warehouse.ts'

/** Events recorded after one batch, up to and including another. */
export type Span = { after: number; upTo: number }

export class StoredHistory {
  readonly #warehouse: Warehouse
  readonly #decoder: StoredDecoder
  readonly #isInside: string

  constructor(warehouse: Warehouse, decoder: StoredDecoder, { after, upTo }: Span) {
    this.#warehouse = warehouse
    this.#decoder = decoder
    this.#isInside = `recorded_by > ${after} and recorded_by <= ${upTo}`
  }

  async count(): Promise<number> {
    const [row] = await this.#warehouse.query(
      `select count(*) as events from events where ${this.#isInside}`,
    )
    return row?.['events'] as number
  }

  /** Connects the identifiers of each event and of the corrections. */
  connect(components: Components): Promise<void> {
    return connectStored(components, this.#warehouse, this.#decoder, this.#isInside)
  }

  /** Yields the events in any order, with the columns that tables are derived from. */
  rows(): AsyncIterable<Row[]> {
    const columns = derivedColumns(this.#decoder).join(', ')
    return this.#warehouse.stream(`select ${columns} from events where ${this.#isInside}`)
  }

  /** Yields the events that `isTaken` accepts in event order, one batch at a time. */
  async *batchesInOrder(isTaken: (row: Row) => boolean): AsyncGenerator<Row[]> {
    let batch: Row[] = []
    let units = 0
    for await (const rows of this.#inOrder()) {
      for (const row of rows) {
        if (!isTaken(row)) continue
        batch.push(row)
        units += (row['properties'] as string).length + (row['context'] as string).length
        if (batch.length < STORED_EVENTS_MAX && units < STORED_UNITS_MAX) continue
        yield batch
        batch = []
        units = 0
      }
    }
    if (batch.length > 0) yield batch
  }

  /** Yields all events in event order. Reads a range of full hours at a time, so that the engine
   * sorts few events. */
  async *#inOrder(): AsyncGenerator<Row[]> {
    const hours = this.#warehouse.stream(
      `select max(occurred_at) as bound, count(*) as events from events where ${this.#isInside}
       group by div(unix_micros(occurred_at), ${HOUR}) order by bound`,
    )
    const { ranges } = await rangesOf<number>(hours, null)
    for (const { after, upTo } of ranges) {
      const isAfter = after === null ? 'true' : `occurred_at > timestamp_micros(${after})`
      const isUpTo = upTo === null ? 'true' : `occurred_at <= timestamp_micros(${upTo})`
      yield* this.#warehouse.stream(
        `select ${STORED_COLUMNS.join(', ')} from events
         where ${this.#isInside} and ${isAfter} and ${isUpTo}
         order by occurred_at, ordinal, event_id`,
      )
    }
  }
}
