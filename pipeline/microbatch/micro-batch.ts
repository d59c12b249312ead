/**
 * Working set of one micro-batch: its events, the history read for it, and the state it continues
 * from.
 *
 * Rows below `newCount` are the batch's own. Rows above are history, read per stream and only where
 * something must be derived again. Texts are codes of `texts`. Steps read the working set and return
 * their results. Only `loadHistory` adds to it, and `images` is a write-back cache.
 */

import type { DictionaryColumn, TextColumn } from '../base/columns.ts'
import { NO_TEXT, Texts } from '../base/texts.ts'
import type { EventColumns } from '../decode/event-batch.ts'
import type { Compiled } from '../definition/compile.ts'
import { Events, type RowList } from '../stages/events.ts'
import { Ints } from '../stages/growable-array.ts'
import { addSegment, SegmentWriter } from './codec/history-codec.ts'
import type { AllImages } from './image-cache.ts'
import { mergeRows, RowGroups, rowsFrom, sortRows } from './row-groups.ts'
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

/** History segments and their streams. */
export type HistorySegments = { streams: string[]; segments: TextColumn }

const NO_ROWS = new Int32Array(0)

export class MicroBatch {
  readonly compiled: Compiled
  readonly images: AllImages
  readonly warehouse: Lookups
  readonly texts = new Texts()
  readonly events: Events
  newCount = 0
  /** By namespace: identifiers that the new rows carry; one may be in it twice. */
  readonly newNames: Ints[]
  readonly erased: ReadonlySet<string>
  readonly watermarkBefore: number | null
  readonly watermark: number | null
  readonly #state: Pick<StateReads, 'segments'>
  /** New rows by stream; null until asked for. */
  #byStream: RowGroups | null = null
  /** History by stream, in event order; only streams that have been read. */
  readonly #oldRows = new Map<number, Int32Array>()

  constructor(parts: MicroBatchParts) {
    const { namespaces, operandPaths, eventCodes } = parts.compiled
    this.compiled = parts.compiled
    this.images = parts.images
    this.#state = parts.state
    this.warehouse = parts.warehouse
    this.watermarkBefore = parts.watermarkBefore
    this.watermark = parts.watermark
    this.erased = parts.erased ?? new Set()
    this.events = new Events({
      texts: this.texts,
      eventCodes,
      namespaces: namespaces.length,
      operands: operandPaths.length,
    })
    this.newNames = namespaces.map(() => new Ints())
  }

  isNew(row: number): boolean {
    return row < this.newCount
  }

  /** Rows of the batch's own events. */
  get newRows(): Int32Array {
    return rowsFrom(0, this.newCount)
  }

  /** Returns whether a journey knows or counts the event, or a funnel needs it. */
  isRelevant(row: number): boolean {
    return this.compiled.needsEveryEvent || this.events.code.at(row) >= 0
  }

  /** Streams of the new rows, in the order of their first rows. */
  get newStreams(): Int32Array {
    return this.#grouped().keys
  }

  /** Returns the new rows of a stream in event order. */
  newRowsOf(stream: number): Int32Array {
    return this.#grouped().of(stream)
  }

  #grouped(): RowGroups {
    if (this.#byStream === null) {
      const { values } = this.events.stream
      this.#byStream = new RowGroups(this.events, this.newRows, values, this.texts.size)
    }
    return this.#byStream
  }

  /** Returns the history of a stream in event order; empty unless `loadHistory` has read it. */
  historyOf(stream: number): Int32Array {
    return this.#oldRows.get(stream) ?? NO_ROWS
  }

  /** Returns all rows of a stream in event order. Its history must be loaded. */
  rowsOf(stream: number): Int32Array {
    return mergeRows(this.events, this.historyOf(stream), this.newRowsOf(stream))
  }

  /** Returns the rows of a stream without the events that are being erased. */
  remainingOf(stream: number): Int32Array {
    const rows = this.rowsOf(stream)
    if (this.erased.size === 0) return rows
    return rows.filter((row) => !this.erased.has(this.events.eventIdOf(row)))
  }

  /** Adds the events at `rows` of a decoded batch, in that order. */
  add(batch: EventColumns, rows: RowList): void {
    const { events, texts } = this
    const names = batch.name.values.map((name) => texts.code(name))
    const nameCodes = batch.name.values.map((name) => events.codeOf(name))
    const sources = batch.source.values.map((source) => texts.code(source))
    const first = events.count
    events.reserve(rows.length)
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number
      const name = batch.name.codes[row] as number
      events.occurredAt.push(batch.occurredAt[row] as number)
      events.ordinal.push(batch.ordinal[row] as number)
      events.eventId.push(texts.add(batch.eventId[row] as string))
      events.name.push(names[name] as number)
      events.code.push(nameCodes[name] as number)
      events.source.push(sources[batch.source.codes[row] as number] as number)
    }
    batch.identifiers.forEach((column, n) => this.#addIdentifiers(n, column, rows))
    for (let o = 0; o < events.operands.length; o++) {
      const from = batch.operands[o] ?? []
      const values = from.slice(0, rows.length)
      for (let i = 0; i < rows.length; i++) values[i] = from[rows[i] as number]
      events.operands[o] = first === 0 ? values : (events.operands[o] ?? []).concat(values)
    }
    for (let row = first; row < events.count; row++) events.stream.push(this.#streamOf(row))
    this.newCount = events.count
    this.#byStream = null
  }

  #addIdentifiers(namespace: number, { values, codes }: DictionaryColumn, rows: RowList): void {
    const column = this.events.identifiers[namespace] as Ints
    const newNames = this.newNames[namespace] as Ints
    const codeOf = new Int32Array(values.length).fill(NO_TEXT)
    for (let i = 0; i < rows.length; i++) {
      const local = codes[rows[i] as number] as number
      if (local < 0) {
        column.push(NO_TEXT)
        continue
      }
      let code = codeOf[local] as number
      if (code < 0) {
        code = this.texts.code(values[local] as string)
        codeOf[local] = code
        newNames.push(code)
      }
      column.push(code)
    }
  }

  /** Returns the identifier that is a row's stream: its first device identifier in declared order,
   * otherwise its first person identifier. */
  #streamOf(row: number): number {
    const { identifiers } = this.events
    const deviceFrom = this.compiled.identity.person.length
    for (let n = deviceFrom; n < identifiers.length; n++) {
      const code = (identifiers[n] as Ints).at(row)
      if (code >= 0) return code
    }
    for (let n = 0; n < deviceFrom; n++) {
      const code = (identifiers[n] as Ints).at(row)
      if (code >= 0) return code
    }
    return NO_TEXT
  }

  /** Reads the history of streams that have not been read yet. */
  async loadHistory(streams: Iterable<number>): Promise<void> {
    const { events, texts } = this
    const missing = new Set<number>()
    for (const stream of streams) if (!this.#oldRows.has(stream)) missing.add(stream)
    if (missing.size === 0) return
    const stored = await this.#state.segments(texts.allOf(missing))
    for (const stream of missing) {
      const first = events.count
      for (const segment of stored.get(texts.at(stream)) ?? []) addSegment(events, stream, segment)
      this.#oldRows.set(stream, sortRows(events, rowsFrom(first, events.count)))
    }
  }

  /** Returns the history segments that this batch adds, one a stream, and those that replace the
   * whole history of `rewritten` streams; none for a rewritten stream without events. */
  history(rewritten: readonly string[] = []): HistorySegments {
    const { events, texts } = this
    const replaced = new Set(rewritten.map((stream) => texts.code(stream)))
    const writer = new SegmentWriter(events)
    const streams: string[] = []
    for (const stream of this.newStreams) {
      if (replaced.has(stream)) continue
      streams.push(texts.at(stream))
      writer.add(this.newRowsOf(stream))
    }
    for (const stream of replaced) {
      const rows = this.remainingOf(stream)
      if (rows.length === 0) continue
      streams.push(texts.at(stream))
      writer.add(rows)
    }
    return { streams, segments: writer.column() }
  }
}
