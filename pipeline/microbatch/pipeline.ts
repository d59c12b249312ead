/**
 * Micro-batches: each takes a decoded batch and makes one commit.
 *
 *   deduplicate → derive (see `derive.ts`) → build the commit → commit
 *
 * Between micro-batches the pipeline keeps the head of the warehouse and the images. Both reflect
 * the last commit, including an in-flight one. If anything fails, nothing is committed, the images
 * are dropped, and the same batch can be processed again.
 */

import type { EventBatch } from '../decode/event-batch.ts'
import { imagesFor } from './codec/profile-codec.ts'
import { CommitBuilder } from './commit-builder.ts'
import { compile, type Compiled } from '../definition/compile.ts'
import type { FinalState } from '../definition/outcome.ts'
import type { Definitions, Release } from '../definition/load.ts'
import { ErasedPersons } from './suppression-list.ts'
import { unrecordedKey } from './key-on-record.ts'
import { land, type Landing, type StoredIds } from './deduplicate.ts'
import { addLanded, landedCorrections, outcomeOf, type Outcome } from './landed-batch.ts'
import { derive, type Derived } from './derive.ts'
import { undeclaredOutcomes } from '../warehouse/outcome-log.ts'
import { firstEntries, ReleaseLog, runningOf, type Running } from '../warehouse/release-log.ts'
import { followed, storedOf, type LoadStart } from './load-start.ts'
import { MicroBatch } from './micro-batch.ts'
import { watermarkAfter } from './watermark.ts'
import type { AllImages } from './image-cache.ts'
import { warehouseState, type StateStore } from '../state/state-store.ts'
import type { Commit, Head, LandedKey, Warehouse } from '../warehouse/warehouse.ts'

/** Images of each kind kept in memory between batches, unless the caller sets another limit. */
const IMAGES_MAX = 4_000

/** Origin and time of a batch. */
export type Delivery = {
  origin: string
  /** Current time, microseconds. */
  receivedAt: number
  /** Requested watermark, microseconds. */
  watermark?: number | null
  /** Dead letters that this batch replays. */
  resolving?: readonly string[]
  /** Inbox messages that this batch contains. */
  applying?: readonly LandedKey[]
}

/** A micro-batch whose commit is in flight. */
export type Begun = { outcome: Outcome; committed: Promise<void> }

export type PipelineOptions = {
  /** Key of hashed namespaces. */
  hashKey?: string | undefined
  /** Whether effects are written to the outbox; true by default. */
  hasOutbox?: boolean
  imagesMax?: number | undefined
  /** Store to read images and history from; the warehouse by default. */
  state?: StateStore
}

export class Pipeline {
  /** Definitions in force: the live versions, whatever the folder contains. */
  readonly definitions: Definitions
  /** Defined versions that are not live. */
  readonly waiting: readonly Release[]
  readonly compiled: Compiled
  readonly #warehouse: Warehouse
  readonly #state: StateStore
  readonly #images: AllImages
  readonly #storedIds: StoredIds
  readonly #erased: ErasedPersons
  readonly #hasOutbox: boolean
  /** Position after the last commit, including an in-flight one. */
  #head: Head
  #committed: Promise<void> = Promise.resolve()
  #unreleased: Release[]
  #undeclared: FinalState[]

  private constructor(
    warehouse: Warehouse,
    running: Running,
    undeclared: FinalState[],
    head: Head,
    erased: ErasedPersons,
    hasOutbox: boolean,
    imagesMax: number,
    state: StateStore,
  ) {
    this.#warehouse = warehouse
    this.definitions = running.definitions
    this.waiting = running.waiting
    this.compiled = compile(running.definitions)
    this.#hasOutbox = hasOutbox
    this.#head = head
    this.#unreleased = running.unreleased
    this.#undeclared = undeclared
    this.#erased = erased
    const isEmpty = head.batch === 0
    this.#state = state
    this.#storedIds = {
      fingerprints: (hashes) => state.fingerprints(hashes),
      landed: (eventIds, hashes) => warehouse.landed(eventIds, hashes),
    }
    this.#images = imagesFor(this.compiled, { state, max: imagesMax, isEmpty })
  }

  /** Continues from the warehouse's last commit, under its live versions. Callers that decode input
   * pass the key of hashed namespaces; a key other than the first is a `UserError`. */
  static async open(
    warehouse: Warehouse,
    definitions: Definitions,
    {
      hashKey,
      hasOutbox = true,
      imagesMax = IMAGES_MAX,
      state = warehouseState(warehouse),
    }: PipelineOptions = {},
  ): Promise<Pipeline> {
    const head = await warehouse.open()
    const log = await ReleaseLog.read(warehouse)
    const running = runningOf(definitions, log)
    const { identity } = running.definitions
    const key = unrecordedKey(identity, hashKey, log, warehouse.url)
    running.unreleased = [...running.unreleased, ...key]
    const erased = await ErasedPersons.load(warehouse, head, identity, hashKey)
    const undeclared = await undeclaredOutcomes(warehouse, definitions, log, running.unreleased)
    return new Pipeline(warehouse, running, undeclared, head, erased, hasOutbox, imagesMax, state)
  }

  get head(): Readonly<Head> {
    return this.#head
  }

  /** Whether a batch may start while the previous commit is in flight. */
  get answersMeanwhile(): boolean {
    return this.#warehouse.answersMeanwhile
  }

  /** Derives and commits a batch. If it rejects, the warehouse is unchanged. */
  async advance(batch: EventBatch, delivery: Delivery): Promise<Outcome> {
    const { outcome, committed } = await this.begin(batch, delivery)
    await committed
    return outcome
  }

  /** Derives a batch and starts its commit. If `answersMeanwhile`, the next batch may start before
   * the commit is done; it fails if the commit fails. */
  async begin(batch: EventBatch, delivery: Delivery): Promise<Begun> {
    const before = this.#committed
    try {
      const landing = await land(this.#storedIds, batch, this.#erased)
      const working = this.#workingSet(batch, landing, delivery.watermark ?? null)
      const derived = await derive(working, landedCorrections(working, batch, landing))
      const commit = await this.#commitOf(working, derived, batch, landing, delivery)
      await before
      this.#committed = this.#commit(commit, working.watermark)
      const outcome = outcomeOf(batch, landing, derived.effects.length)
      return { outcome, committed: this.#committed }
    } catch (thrown) {
      await before.finally(() => this.#forget())
      throw thrown
    }
  }

  /** Whether the engine can load in bulk. */
  get canLoad(): boolean {
    return this.#warehouse.load !== undefined
  }

  /** Returns the number of events that batches have stored. */
  async storedEvents(): Promise<number> {
    const [row] = await this.#warehouse.query(
      'select coalesce(sum(landed_count), 0) as events from batches',
    )
    return row?.['events'] as number
  }

  /** Runs a bulk load and continues after its commit. `receivedAt` in microseconds. */
  async load(
    receivedAt: number,
    work: (start: LoadStart) => Promise<{ outcome: Outcome; watermark: number | null }>,
  ): Promise<Outcome> {
    await this.#committed
    const before = this.#head
    const recordedAt = Math.max(receivedAt, before.recordedAt + 1)
    const at = { batch: before.batch + 1, recordedAt }
    const loading = work({
      load: async (parts) =>
        this.#warehouse.load?.((loading) => parts(followed(loading, this.#state))),
      definitions: this.definitions,
      compiled: this.compiled,
      erased: this.#erased,
      at,
      register: (builder) => this.#register(builder),
      stored: before.batch === 0 ? null : storedOf(before, this.#state, this.#warehouse),
    })
    const { outcome, watermark } = await loading.catch((thrown: unknown) => {
      this.#state.loaded(null)
      throw thrown
    })
    this.#head = { ...at, watermark }
    this.#unreleased = []
    this.#undeclared = []
    this.#forget()
    this.#state.loaded(at)
    return outcome
  }

  #register(builder: CommitBuilder): void {
    builder.releases(firstEntries(this.#unreleased))
    builder.funnels(this.#unreleased, this.compiled.funnels)
    builder.outcomes(this.#undeclared)
  }

  #workingSet(batch: EventBatch, landing: Landing, requested: number | null): MicroBatch {
    const before = this.#head.watermark
    const working = new MicroBatch({
      compiled: this.compiled,
      images: this.#images,
      state: this.#state,
      warehouse: this.#warehouse,
      watermarkBefore: before,
      watermark: watermarkAfter(before, batch, landing.rows, requested),
    })
    working.add(batch, landing.rows)
    return working
  }

  async #commitOf(
    working: MicroBatch,
    { changes, effects, timers }: Derived,
    batch: EventBatch,
    landing: Landing,
    delivery: Delivery,
  ): Promise<Commit> {
    const builder = new CommitBuilder()
    const { origin, receivedAt } = delivery
    const refused = await addLanded(builder, batch, landing, delivery, this.#warehouse)
    const stillRefused = new Set(refused)
    builder.resolutions((delivery.resolving ?? []).filter((id) => !stillRefused.has(id)))
    builder.applied(delivery.applying ?? [])
    for (const [table, change] of changes) builder.change(table, change)
    if (this.#hasOutbox) builder.effects(effects)
    builder.history(working.history())
    builder.timers(timers)
    builder.images(working.images)
    this.#register(builder)
    return builder.build(
      {
        batch: this.#head.batch + 1,
        recordedAt: Math.max(receivedAt, this.#head.recordedAt + 1),
        watermark: working.watermark,
      },
      {
        origin,
        read: batch.read,
        duplicates: landing.duplicates,
        rejected: landing.refusals.length,
      },
    )
  }

  #commit(commit: Commit, watermark: number | null): Promise<void> {
    const before = {
      head: this.#head,
      unreleased: this.#unreleased,
      undeclared: this.#undeclared,
    }
    this.#head = { batch: commit.batch, recordedAt: commit.recordedAt, watermark }
    this.#unreleased = []
    this.#undeclared = []
    for (const images of Object.values(this.#images)) images.settle()
    const done = this.#state.follow(commit, this.#warehouse.commit(commit))
    const committed = done.catch((thrown: unknown) => {
      this.#head = before.head
      this.#unreleased = before.unreleased
      this.#undeclared = before.undeclared
      this.#committed = Promise.resolve()
      this.#forget()
      throw thrown
    })
    // The caller that awaits `committed` handles its failure; that may be the next batch.
    committed.catch(() => undefined)
    return committed
  }

  #forget(): void {
    for (const images of Object.values(this.#images)) images.forget()
  }
}
