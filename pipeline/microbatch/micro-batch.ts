/**
 * Working set of one micro-batch: its events, the history read for it, and the state it continues
 * from.
 *
 * Rows below `newCount` are the batch's own. Rows above are history, read per stream and only where
 * something must be derived again. Steps read the working set and return their results. Only
 * `loadHistory` adds to it, and `images` is a write-back cache.
 */

import type { DictionaryColumn } from '../base/columns.ts'
import type { EventColumns } from '../decode/event-batch.ts'
import type { Compiled } from '../definition/compile.ts'
import { Events, streamNamespaceOf } from '../stages/events.ts'
import { addSegment, segmentText } from './codec/history-codec.ts'
import type { AllImages } from './image-cache.ts'
import type { StateReads } from '../state/state-store.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'

/** Warehouse look-ups of a micro-batch beyond its state. */
export type Lookups = Pick<Warehouse, 'due' | 'outbox'>

export type MicroBatchParts = {
  compiled: Compiled
  images: AllImages
  state: Pick<StateReads, 'segments'>
  warehouse: Lookups
  /** Watermark of the last commit, microseconds; null before the first event. */
  watermarkBefore: number | null
  watermark: number | null
  /** Ids of stored events that this batch erases. */
  erased?: ReadonlySet<string>
}

export class MicroBatch {
  readonly compiled: Compiled
  readonly images: AllImages
  readonly warehouse: Lookups
  readonly events: Events
  /** Event code by row; -1 if no journey and no funnel names the event. */
  readonly codes: number[] = []
  newCount = 0
  /** New rows by stream, in event order. */
  readonly newRows = new Map<string, number[]>()
  /** Identifiers that the new rows carry; one may be in it twice. */
  readonly newNames: string[] = []
  readonly erased: ReadonlySet<string>
  readonly watermarkBefore: number | null
  readonly watermark: number | null
  readonly #state: Pick<StateReads, 'segments'>
  /** History by stream, in event order; only streams that have been read. */
  readonly #oldRows = new Map<string, number[]>()

  constructor(parts: MicroBatchParts) {
    this.compiled = parts.compiled
    this.images = parts.images
    this.#state = parts.state
    this.warehouse = parts.warehouse
    this.watermarkBefore = parts.watermarkBefore
    this.watermark = parts.watermark
    this.erased = parts.erased ?? new Set()
    this.events = new Events(parts.compiled.namespaces.length, parts.compiled.operandPaths.length)
  }

  isNew(row: number): boolean {
    return row < this.newCount
  }

  /** Returns whether a journey knows or counts the event, or a funnel needs it. */
  isRelevant(row: number): boolean {
    return this.compiled.needsEveryEvent || (this.codes[row] as number) >= 0
  }

  /** Returns the history of a stream in event order; empty unless `loadHistory` has read it. */
  historyOf(stream: string): readonly number[] {
    return this.#oldRows.get(stream) ?? []
  }

  /** Returns all rows of a stream in event order. Its history must be loaded. */
  rowsOf(stream: string): number[] {
    const rows = [...this.historyOf(stream), ...(this.newRows.get(stream) ?? [])]
    return rows.sort(this.events.inOrder)
  }

  /** Returns the rows of a stream without the events that are being erased. */
  remainingOf(stream: string): number[] {
    const rows = this.rowsOf(stream)
    if (this.erased.size === 0) return rows
    return rows.filter((row) => !this.erased.has(this.events.eventId[row] as string))
  }

  /** Adds the events at `rows` of a decoded batch, in that order. */
  add(batch: EventColumns, rows: readonly number[]): void {
    const { events, compiled } = this
    const nameCodes = batch.name.values.map((name) => compiled.eventCodes.get(name) ?? -1)
    const deviceFrom = compiled.identity.person.length
    // Identifiers are looked up by their codes: texts of two namespaces are never equal.
    const isSeen = batch.identifiers.map(({ values }) => new Uint8Array(values.length))
    const rowsOfCode = batch.identifiers.map((column) => {
      return Array.from<number[] | undefined>({ length: column.values.length })
    })
    for (const from of rows) {
      const row = events.count
      const name = batch.name.codes[from] as number
      events.occurredAt.push(batch.occurredAt[from] as number)
      events.ordinal.push(batch.ordinal[from] as number)
      events.eventId.push(batch.eventId[from] as string)
      events.name.push(batch.name.values[name] as string)
      events.source.push(batch.source.values[batch.source.codes[from] as number] as string)
      for (let n = 0; n < batch.identifiers.length; n++) {
        const column = batch.identifiers[n]
        const code = column?.codes[from] ?? -1
        events.identifiers[n]?.push(code < 0 ? undefined : column?.values[code])
        if (code >= 0) this.#seeName(column as DictionaryColumn, code, isSeen[n] as Uint8Array)
      }
      for (let o = 0; o < events.operands.length; o++) {
        events.operands[o]?.push(batch.operands[o]?.[from])
      }
      this.codes.push(nameCodes[name] as number)
      const n = streamNamespaceOf(events.identifiers, row, deviceFrom)
      const column = batch.identifiers[n] as DictionaryColumn
      const code = column.codes[from] as number
      const stream = column.values[code] as string
      events.stream.push(stream)
      const lists = rowsOfCode[n] as (number[] | undefined)[]
      const streamRows = lists[code] ?? this.#newRowsOf(stream)
      lists[code] = streamRows
      streamRows.push(row)
    }
    this.newCount = events.count
    for (const streamRows of this.newRows.values()) this.#sort(streamRows)
  }

  #seeName({ values }: DictionaryColumn, code: number, isSeen: Uint8Array): void {
    if (isSeen[code] === 1) return
    isSeen[code] = 1
    this.newNames.push(values[code] as string)
  }

  #newRowsOf(stream: string): number[] {
    const rows = this.newRows.get(stream) ?? []
    this.newRows.set(stream, rows)
    return rows
  }

  /** Most streams are in order as they come, and sorting copies. */
  #sort(rows: number[]): void {
    const { inOrder } = this.events
    for (let i = 1; i < rows.length; i++) {
      if (inOrder(rows[i - 1] as number, rows[i] as number) < 0) continue
      rows.sort(inOrder)
      return
    }
  }

  /** Reads the history of streams that have not been read yet. */
  async loadHistory(streams: Iterable<string>): Promise<void> {
    const missing = [...new Set(streams)].filter((stream) => !this.#oldRows.has(stream))
    if (missing.length === 0) return
    const stored = await this.#state.segments(missing)
    for (const stream of missing) {
      const rows: number[] = []
      for (const segment of stored.get(stream) ?? []) {
        for (const row of addSegment(this.events, stream, segment)) {
          rows.push(row)
          this.codes.push(this.compiled.eventCodes.get(this.events.name[row] as string) ?? -1)
        }
      }
      this.#oldRows.set(stream, rows.sort(this.events.inOrder))
    }
  }

  /** Yields the history segments that this batch adds, by stream. */
  *segments(): Generator<[stream: string, segment: string]> {
    for (const [stream, rows] of this.newRows) yield [stream, segmentText(this.events, rows)]
  }

  /** Yields segments that replace the whole history of `streams`; none for streams without events. */
  *rewrittenSegments(streams: Iterable<string>): Generator<[stream: string, segment: string]> {
    for (const stream of streams) {
      const rows = this.remainingOf(stream)
      if (rows.length > 0) yield [stream, segmentText(this.events, rows)]
    }
  }
}
