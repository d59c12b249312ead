/**
 * Bulk load: all events of an input, as one commit.
 *
 *   read:   decode → deduplicate → write the events, connect their identifiers
 *   derive: partitions of whole components, in several threads → write their rows and their state
 *
 * Every row and every image is written once, as it is after the last event. The tables are those of
 * micro-batches over the same input. Until the commit nothing is visible, and a crash leaves the
 * warehouse as it was.
 *
 * A backfill is a load into a warehouse that has events. Stored events connect identifiers too, and a
 * partition continues from the stored state of its components, as one micro-batch would. So it
 * supersedes rows and writes effects as that would. Profiles of which only a timeout is due come last.
 *
 * Memory is bounded by the partitions in flight and the largest component, apart from 2 bytes an event
 * for deduplication and 40 bytes an identifier.
 */

import type { EventBatch } from '../decode/event-batch.ts'
import { CommitBuilder } from '../microbatch/commit-builder.ts'
import { land, type Landing } from '../microbatch/deduplicate.ts'
import { addLanded, countRefusals, type Outcome } from '../microbatch/landed-batch.ts'
import type { LoadStart } from '../microbatch/load-start.ts'
import { watermarkAfter } from '../microbatch/watermark.ts'
import { StoredDecoder } from '../decode/stored-decoder.ts'
import { addToIntegers } from '../warehouse/arrow/arrow.ts'
import { COMPONENT_EVENTS_MAX, PARTITION_EVENTS } from './components.ts'
import { columnsOf, KeptEvents } from './kept-events.ts'
import { startPartPool, type Cut, type PartPool } from './part-pool.ts'
import { EVENTS_IN_MEMORY, PartitionedEvents } from './partitioned-events.ts'
import { ReadEvents } from './read-events.ts'
import { connectStored } from './stored-components.ts'
import { STATE_TABLES } from '../warehouse/image-tables.ts'
import type { Loading } from '../warehouse/warehouse.ts'

/** Profiles that are due in a part. */
const DUE_OF_PART = 10_000

/** Decoded chunk. `receivedAt` in microseconds. */
export type DecodedChunk = { batch: EventBatch; origin: string; receivedAt: number }

export type LoadLimits = {
  /** Events of a partition, about. In these limits, a line of several times 2 KiB counts as several
   * events. */
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
    super(`one component has ${events} events, where a line counts once for each 2 KiB`)
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
  readonly #readEvents: ReadEvents
  readonly #kept: KeptEvents
  readonly #pool: PartPool
  #rejected = 0
  /** Number of events in parts that were written. */
  #derived = 0

  constructor(parts: BulkLoad) {
    const { definitions, stored } = parts.start
    this.#parts = parts
    this.#kept = new KeptEvents(parts.inMemory)
    this.#readEvents = new ReadEvents(parts.inMemory)
    this.watermark = stored?.head.watermark ?? null
    const settings = { definitions, state: STATE_TABLES, hasEffects: true }
    const continued = { ...settings, watermarkBefore: this.watermark }
    // Workers start while the input is read.
    this.#pool = startPartPool(continued, parts.threads ?? 1, stored)
  }

  async run(chunks: AsyncIterable<DecodedChunk>, loading: Loading): Promise<void> {
    await this.#connectStored()
    for await (const chunk of chunks) await this.#read(chunk, loading)
    const requested = this.#parts.watermark() ?? -Infinity
    const watermark = Math.max(this.watermark ?? -Infinity, requested)
    this.watermark = watermark === -Infinity ? null : watermark
    await this.#derive(loading)
    // The commit takes memory, and the threads are not needed any more.
    await this.close()
    const { start, origin } = this.#parts
    start.register(this.#builder)
    const { read, duplicates } = this.outcome
    const note = { origin, read, duplicates, rejected: this.#rejected }
    await loading.add(this.#builder.build({ ...start.at, watermark: this.watermark }, note))
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#kept.close()
    this.#readEvents.close()
    await this.#pool.close()
  }

  /** Writes the accepted events and the refused lines of a chunk. */
  async #read({ batch, origin, receivedAt }: DecodedChunk, loading: Loading): Promise<void> {
    const { at, erased } = this.#parts.start
    const stored = {
      fingerprints: (hashes: BigUint64Array) => this.#fingerprints(hashes),
      landed: (ids: string[], hashes: BigUint64Array) => loading.landed(ids, hashes),
    }
    const landing = await land(stored, batch, erased)
    await addLanded(this.#builder, batch, landing, { origin, receivedAt }, loading)
    await loading.add(this.#builder.part(at))
    this.#readEvents.add(batch.eventHash, batch.fingerprint, landing.rows)
    this.#kept.add(batch, landing.rows, landing.landedRow)
    if (this.outcome.read === 0) this.#warmUp(batch)
    this.watermark = watermarkAfter(this.watermark, batch, landing.rows, null)
    this.#count(batch, landing)
  }

  /** Returns the fingerprints of known events: stored before, or read by this load. */
  async #fingerprints(hashes: BigUint64Array): Promise<Map<bigint, bigint>> {
    const read = this.#readEvents.fingerprints(hashes)
    const stored = await this.#parts.start.stored?.fingerprints(hashes)
    return stored === undefined || stored.size === 0 ? read : new Map([...stored, ...read])
  }

  async #connectStored(): Promise<void> {
    const { stored, compiled, definitions } = this.#parts.start
    if (stored === null) return
    const decoder = new StoredDecoder(definitions.identity, compiled.operandPaths)
    await connectStored(this.#kept.components, stored, decoder, 'true')
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

  /** Derives the partitions and writes their rows, then those of profiles that are due. */
  async #derive(loading: Loading): Promise<void> {
    const { inMemory = EVENTS_IN_MEMORY } = this.#parts
    const { compiled } = this.#parts.start
    const due = new Set(await this.#due())
    const { partEvents = PARTITION_EVENTS, componentEvents = COMPONENT_EVENTS_MAX } = this.#parts
    const partitions = this.#kept.components.partitions(partEvents, componentEvents)
    if (partitions.hasOversized) throw new ComponentTooLarge(partitions.largest)
    const shape = {
      partitions: partitions.count,
      namespaces: compiled.namespaces.length,
      operands: compiled.operandPaths.length,
    }
    const events = new PartitionedEvents(shape, inMemory / this.#kept.meanWeight)
    try {
      this.#kept.distribute(partitions, events)
      await this.#write(this.#cuts(events, partitions.count), loading, due)
    } finally {
      events.close()
    }
    await this.#write(this.#cutsOfDue([...due]), loading, due)
  }

  /** Returns the stored profiles with a timeout up to the watermark. */
  #due(): readonly string[] | Promise<string[]> {
    const { stored } = this.#parts.start
    const { watermark } = this
    if (stored === null || watermark === null || watermark === stored.head.watermark) return []
    return stored.due(stored.head.watermark, watermark)
  }

  /** Derives parts and writes their rows. Deletes their profiles from `due`. */
  async #write(cuts: Iterable<Cut<number>>, loading: Loading, due: Set<string>): Promise<void> {
    const { onPart, start } = this.#parts
    for await (const { label, built } of this.#pool.derived(cuts)) {
      const { counts, ...rows } = built
      const effects = rows.inserts.get('effects')
      if (effects !== undefined) addToIntegers(effects, 'effect_no', this.outcome.effects)
      const profiles = due.size === 0 ? undefined : rows.images.get('profile')?.getChild('key')
      for (const profile of profiles ?? []) due.delete(profile as string)
      await loading.add({ ...start.at, ...rows })
      this.#builder.taken(counts)
      this.outcome.effects += counts.effects
      this.#derived += label
      onPart?.(this.#derived, this.#kept.count)
    }
  }

  /** Yields the partitions, labelled with the number of their events. */
  *#cuts(events: PartitionedEvents, partitions: number): Generator<Cut<number>> {
    for (let partition = 0; partition < partitions; partition++) {
      const pieces = events.take(partition)
      const count = pieces.reduce((sum, piece) => sum + piece.count, 0)
      const part = { events: pieces, owners: null, watermark: this.watermark }
      if (count > 0) yield { part, label: count, events: count * this.#kept.meanWeight }
    }
  }

  /** Yields parts without events of profiles with a timeout that is due. */
  *#cutsOfDue(profiles: readonly string[]): Generator<Cut<number>> {
    const { watermark } = this
    for (let from = 0; from < profiles.length; from += DUE_OF_PART) {
      const due = profiles.slice(from, from + DUE_OF_PART)
      yield { part: { events: [], owners: null, watermark, due }, label: 0, events: due.length }
    }
  }
}
