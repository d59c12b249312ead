/**
 * Full replay: derives everything from the stored events again under other definitions, into a
 * scratch warehouse. The outbox of that warehouse is never published.
 *
 * One query finds the components: identifiers that events connect. A second reads the events, and
 * distributes them to partitions of whole components. Each partition is derived at once, without
 * stored state, and is one commit; several are derived at once. A component that is larger
 * than a partition is processed before by micro-batches, in event order. Memory is bounded by the
 * partitions in flight and the number of identifiers.
 *
 * An interrupted replay resumes after its last partition, unless batches were committed since.
 * Events that arrive during a replay are processed at its end, as in a run.
 */

import { Pipeline } from '../microbatch/pipeline.ts'
import {
  COMPONENT_EVENTS_MAX,
  Components,
  OVERSIZED,
  PARTITION_EVENTS,
  type Partitions,
} from '../bulk/components.ts'
import { emptyBatch } from '../decode/event-batch.ts'
import type { DecodedEvent } from '../decode/event-columns-builder.ts'
import { StoredDecoder, type Identifiers } from '../decode/stored-decoder.ts'
import { now } from '../base/clock.ts'
import { compile } from '../definition/compile.ts'
import type { Definitions } from '../definition/load.ts'
import {
  commitEnd,
  commitParts,
  Heads,
  originOf,
  progressOf,
  type PartLabel,
  type Progress,
  type Spread,
} from './part-commits.ts'
import { startPartPool, type Cut } from '../bulk/part-pool.ts'
import { PartitionedEvents } from '../bulk/partitioned-events.ts'
import { derivedEvent, storedBatch } from './stored-events.ts'
import { StoredHistory } from './stored-history.ts'
import { STATE_TABLES } from '../warehouse/image-tables.ts'
import type { Head, Row, Warehouse } from '../warehouse/warehouse.ts'

const ORIGIN = 'stored events'
/** Label of the build in the scratch warehouse. It names how components are divided into partitions:
 * a build must not resume under another division. */
export const EVERYTHING = 'everything, by least hash'

export type FullReplay = Spread & {
  /** Open; only read. */
  warehouse: Warehouse
  /** Open: empty, or left by an interrupted replay under the same definitions. */
  scratch: Warehouse
  definitions: Definitions
  /** Called after every batch and part. */
  onBatch?: OnBatch | undefined
}

/** `done` of `total` events of the step are processed. */
export type OnBatch = (done: number, total: number, step: 'read' | 'derived') => void

/**
 * Replays all events. Returns false if the scratch warehouse does not fit: another replay left it, or
 * events were erased meanwhile.
 */
export async function replayEverything(parts: FullReplay): Promise<boolean> {
  const { warehouse, scratch, definitions } = parts
  const source = await warehouse.open()
  const { batch } = await scratch.open()
  const before = await progressOf(scratch)
  const decoder = new StoredDecoder(definitions.identity, compile(definitions).operandPaths)
  if (before?.isDone === true) return caughtUp(parts, decoder, before)
  const isOther = before === null ? batch > 0 : before.source?.batch !== source.batch
  return !isOther && new Build(parts, decoder, source).run(before?.upTo ?? null)
}

/** Build of everything up to the last batch of the source. */
class Build {
  readonly #parts: FullReplay
  readonly #decoder: StoredDecoder
  readonly #source: Head
  readonly #history: StoredHistory
  #total = 0

  constructor(parts: FullReplay, decoder: StoredDecoder, source: Head) {
    this.#parts = parts
    this.#decoder = decoder
    this.#source = source
    this.#history = new StoredHistory(parts.warehouse, decoder, { after: 0, upTo: source.batch })
  }

  /** Builds, or resumes after a partition. Returns whether every event was read. */
  async run(upTo: string | null): Promise<boolean> {
    const { scratch, definitions, parallel = 1 } = this.#parts
    const { partEvents = PARTITION_EVENTS, componentEvents = COMPONENT_EVENTS_MAX } = this.#parts
    const { watermark } = this.#source
    const components = new Components()
    this.#total = await this.#history.count()
    await this.#history.connect(components)
    const partitions = components.partitions(partEvents, componentEvents)
    if (upTo === null) await this.#runOversized(partitions)
    const first = upTo === null ? 0 : Number(upTo) + 1
    const events = new PartitionedEvents({
      partitions: partitions.count,
      namespaces: this.#decoder.namespaces.length,
      operands: this.#decoder.operandCount,
    })
    try {
      const read = await this.#distribute(partitions, first, events)
      const heads = new Heads(await scratch.open(), watermark)
      const settings = { definitions, state: STATE_TABLES, hasEffects: false }
      const pool = startPartPool(settings, parallel)
      let done = 0
      const cuts = this.#cuts(events, first, partitions.count)
      await commitParts(cuts, { target: scratch, heads, pool }, (count) => {
        done += count
        this.#parts.onBatch?.(done, this.#total, 'derived')
      })
      await commitEnd(scratch, heads, this.#progress(null, true))
      return read === this.#total && this.#total === (await this.#history.count())
    } finally {
      events.close()
    }
  }

  /** Registers the definitions, and processes the components that are too large for a partition.
   * Sets the watermark: what is derived later is complete. */
  async #runOversized(partitions: Partitions): Promise<void> {
    const isTaken = ({ identifiers }: Row) => {
      const name = nameOn(this.#decoder.identifiersOf(identifiers as string))
      return name !== undefined && partitions.of(name) === OVERSIZED
    }
    const rows = partitions.hasOversized ? this.#history.batchesInOrder(isTaken) : []
    await processed(this.#parts, this.#decoder, rows, this.#source.watermark)
  }

  /** Distributes the events to partitions from `first` on. Returns the number of events read. */
  async #distribute(
    partitions: Partitions,
    first: number,
    into: PartitionedEvents,
  ): Promise<number> {
    let read = 0
    for await (const rows of this.#history.rows()) {
      for (const row of rows) {
        const name = nameOn(this.#decoder.identifiersOf(row['identifiers'] as string))
        const partition = name === undefined ? OVERSIZED : partitions.of(name)
        if (partition < first) continue
        into.add(partition, derivedEvent(row, this.#decoder) as DecodedEvent)
      }
      read += rows.length
      this.#parts.onBatch?.(read, this.#total, 'read')
    }
    return read
  }

  async *#cuts(
    events: PartitionedEvents,
    first: number,
    end: number,
  ): AsyncGenerator<Cut<PartLabel>> {
    const { watermark } = this.#source
    for (let partition = first; partition < end; partition++) {
      const pieces = events.take(partition)
      const count = pieces.reduce((sum, piece) => sum + piece.count, 0)
      const origin = originOf(this.#progress(String(partition), false))
      const part = { events: pieces, owners: null, watermark }
      if (count > 0) yield { part, label: { origin, events: count }, events: count }
    }
  }

  #progress(upTo: string | null, isDone: boolean): Progress {
    const { batch } = this.#source
    return { label: EVERYTHING, upTo, isDone, source: { batch, events: this.#total } }
  }
}

/** Processes the events that were recorded since a build. Returns whether no others have changed. */
async function caughtUp(
  parts: FullReplay,
  decoder: StoredDecoder,
  { source: built = { batch: 0, events: 0 } }: Progress,
): Promise<boolean> {
  const { warehouse, scratch } = parts
  const { batch, watermark } = await warehouse.open()
  if (batch === built.batch) return true
  const since = new StoredHistory(warehouse, decoder, { after: built.batch, upTo: batch })
  const read = await processed(
    parts,
    decoder,
    since.batchesInOrder(() => true),
    watermark,
  )
  const events = built.events + read
  const end = { label: EVERYTHING, upTo: null, isDone: true, source: { batch, events } }
  await commitEnd(scratch, new Heads(await scratch.open(), watermark), end)
  return events === (await new StoredHistory(warehouse, decoder, { after: 0, upTo: batch }).count())
}

/** Processes events by micro-batches, and sets the watermark. Returns the number of events. */
async function processed(
  { scratch, definitions }: FullReplay,
  decoder: StoredDecoder,
  batches: AsyncIterable<Row[]> | Row[][],
  watermark: number | null,
): Promise<number> {
  const pipeline = await Pipeline.open(scratch, definitions, { hasOutbox: false })
  let read = 0
  let committed = Promise.resolve()
  try {
    for await (const rows of batches) {
      const delivery = { origin: ORIGIN, receivedAt: now() }
      ;({ committed } = await pipeline.begin(storedBatch(rows, decoder), delivery))
      read += rows.length
    }
  } finally {
    await committed.catch(() => undefined)
  }
  const nothing = emptyBatch(pipeline.compiled.namespaces.length)
  await pipeline.advance(nothing, { origin: ORIGIN, receivedAt: now(), watermark })
  return read
}

/** Returns an identifier that an event carries. */
function nameOn(identifiers: Identifiers): string | undefined {
  return identifiers.find((name) => name !== undefined)
}
