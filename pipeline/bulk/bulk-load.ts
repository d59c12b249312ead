/**
 * Bulk load: all events of an input into an empty warehouse, as one commit.
 *
 *   read:   decode → deduplicate → write the events, connect their identifiers
 *   derive: partitions of whole components, in several threads → write their rows and their state
 *
 * Nothing is looked up, superseded or written twice: every row and every image is written as it is
 * after the last event. The tables are those of micro-batches over the same input. Until the commit
 * nothing is visible, and a crash leaves the warehouse empty.
 *
 * Memory is bounded by the partitions in flight, the largest component, 16 bytes an event for deduplication, and
 * the number of identifiers.
 */

import { EventIndex } from '../base/event-index.ts'
import type { EventBatch } from '../decode/event-batch.ts'
import { CommitBuilder } from '../microbatch/commit-builder.ts'
import { land, type Landing } from '../microbatch/deduplicate.ts'
import { addLanded, countRefusals, type Outcome } from '../microbatch/landed-batch.ts'
import type { LoadStart } from '../microbatch/pipeline.ts'
import { watermarkAfter } from '../microbatch/watermark.ts'
import { addToIntegers } from '../warehouse/arrow/arrow.ts'
import { COMPONENT_EVENTS_MAX, PARTITION_EVENTS } from './components.ts'
import { columnsOf, KeptEvents } from './kept-events.ts'
import { startPartPool, type Cut, type PartPool } from './part-pool.ts'
import { PartitionedEvents } from './partitioned-events.ts'
import { STATE_TABLES } from '../warehouse/image-tables.ts'
import type { Loading } from '../warehouse/warehouse.ts'

/** Decoded chunk. `receivedAt` in microseconds. */
export type DecodedChunk = { batch: EventBatch; origin: string; receivedAt: number }

export type LoadLimits = {
  /** Events of a partition, about. */
  partEvents?: number
  /** Components with more events are refused. */
  componentEvents?: number
  /** Events in memory between reading and deriving. */
  inMemory?: number
  /** Threads that derive, this one included. */
  threads?: number
}

export type BulkLoad = LoadLimits & {
  start: LoadStart
  origin: string
  /** Returns the requested watermark, microseconds. Called when everything is read. */
  watermark: () => number | null
  /** Called after each partition with the number of derived events. */
  onPart?: ((done: number, total: number) => void) | undefined
}

/** Largest-component error: the input must be processed by micro-batches. Nothing was written. */
export class ComponentTooLarge extends Error {
  readonly events: number

  constructor(events: number) {
    super(`one component has ${events} events`)
    this.events = events
  }
}

/** Loads the chunks. Returns the outcome and the watermark after it. */
export async function bulkLoad(
  chunks: AsyncIterable<DecodedChunk>,
  parts: BulkLoad,
): Promise<{ outcome: Outcome; watermark: number | null }> {
  const load = new Load(parts)
  try {
    await parts.start.load((loading) => load.run(chunks, loading))
    return { outcome: load.outcome, watermark: load.watermark }
  } finally {
    await load.close()
  }
}

class Load {
  readonly outcome: Outcome = {
    read: 0,
    landed: 0,
    duplicates: 0,
    erased: 0,
    refused: new Map(),
    effects: 0,
  }
  watermark: number | null = null
  readonly #parts: BulkLoad
  readonly #builder = new CommitBuilder()
  readonly #index = new EventIndex()
  readonly #kept: KeptEvents
  readonly #pool: PartPool
  #rejected = 0

  constructor(parts: BulkLoad) {
    const { definitions } = parts.start
    this.#parts = parts
    this.#kept = new KeptEvents(parts.inMemory)
    // Workers start while the input is read.
    const settings = { definitions, state: STATE_TABLES, hasEffects: true }
    this.#pool = startPartPool(settings, parts.threads ?? 1)
  }

  async run(chunks: AsyncIterable<DecodedChunk>, loading: Loading): Promise<void> {
    for await (const chunk of chunks) await this.#read(chunk, loading)
    const requested = this.#parts.watermark() ?? -Infinity
    const watermark = Math.max(this.watermark ?? -Infinity, requested)
    this.watermark = watermark === -Infinity ? null : watermark
    await this.#derive(loading)
    const { start, origin } = this.#parts
    start.register(this.#builder)
    const { read, duplicates } = this.outcome
    const note = { origin, read, duplicates, rejected: this.#rejected }
    await loading.add(this.#builder.build({ ...start.at, watermark: this.watermark }, note))
  }

  async close(): Promise<void> {
    this.#kept.close()
    await this.#pool.close()
  }

  /** Writes the accepted events and the refused lines of a chunk. */
  async #read({ batch, origin, receivedAt }: DecodedChunk, loading: Loading): Promise<void> {
    const { at, erased } = this.#parts.start
    const stored = {
      fingerprints: (hashes: BigUint64Array) => Promise.resolve(this.#index.fingerprints(hashes)),
      landed: (ids: string[], hashes: BigUint64Array) => loading.landed(ids, hashes),
    }
    const landing = await land(stored, batch, erased)
    await addLanded(this.#builder, batch, landing, { origin, receivedAt }, loading)
    await loading.add(this.#builder.part(at))
    this.#index.add(batch.eventHash, batch.fingerprint, landing.rows)
    this.#kept.add(batch, landing.rows, landing.landedRow)
    if (this.outcome.read === 0) this.#warmUp(batch)
    this.watermark = watermarkAfter(this.watermark, batch, landing.rows, null)
    this.#count(batch, landing)
  }

  #warmUp(batch: EventBatch): void {
    this.#pool.warmUp({ events: [columnsOf(batch)], owners: null, watermark: null })
  }

  #count(batch: EventBatch, landing: Landing): void {
    const { outcome } = this
    const { rows, duplicates, erased, refusals } = landing
    outcome.read += batch.read
    outcome.landed += rows.length
    outcome.duplicates += duplicates
    outcome.erased += erased
    this.#rejected += refusals.length
    countRefusals(outcome.refused, landing)
  }

  /** Derives the partitions and writes their rows. */
  async #derive(loading: Loading): Promise<void> {
    const { onPart, inMemory } = this.#parts
    const { compiled, at } = this.#parts.start
    const { partEvents = PARTITION_EVENTS, componentEvents = COMPONENT_EVENTS_MAX } = this.#parts
    const partitions = this.#kept.components.partitions(partEvents, componentEvents)
    if (partitions.hasOversized) throw new ComponentTooLarge(partitions.largest)
    const shape = {
      partitions: partitions.count,
      namespaces: compiled.namespaces.length,
      operands: compiled.operandPaths.length,
    }
    const events = new PartitionedEvents(shape, inMemory)
    try {
      this.#kept.distribute(partitions, events)
      let done = 0
      for await (const { label, built } of this.#pool.derived(
        this.#cuts(events, partitions.count),
      )) {
        const { counts, ...rows } = built
        const effects = rows.inserts.get('effects')
        if (effects !== undefined) addToIntegers(effects, 'effect_no', this.outcome.effects)
        await loading.add({ ...at, ...rows })
        this.#builder.taken(counts)
        this.outcome.effects += counts.effects
        done += label
        onPart?.(done, this.#kept.count)
      }
    } finally {
      events.close()
    }
  }

  /** Yields the partitions, labelled with the number of their events. */
  *#cuts(events: PartitionedEvents, partitions: number): Generator<Cut<number>> {
    for (let partition = 0; partition < partitions; partition++) {
      const pieces = events.take(partition)
      const count = pieces.reduce((sum, piece) => sum + piece.count, 0)
      const part = { events: pieces, owners: null, watermark: this.watermark }
      if (count > 0) yield { part, label: count, events: count }
    }
  }
}
