/**
 * One turn: a decoded batch goes in, one commit comes out. The order of the flow is read here.
 *
 *   land → link → sessions → whose they are → journeys → commit
 *
 * Between turns the pipeline holds the head of the warehouse and the images; both are exactly what
 * the last commit leaves, which may still be under way. When anything fails nothing is committed,
 * the images are forgotten, and the same batch can be given again.
 */

import type { EventBatch } from '../decode/event-batch.ts'
import { imagesFor } from './profile-codec.ts'
import { CommitBuilder, deadLetterIdOf } from './commit-builder.ts'
import { compile, withoutJourneys, type Compiled } from '../definition/compile.ts'
import type { Definitions, Release } from '../definition/load.ts'
import { ErasedPersons } from './suppression-list.ts'
import type { OutboxRow } from './outbox.ts'
import { Identities } from './identifier-rows.ts'
import { land, type Landing } from './deduplicate.ts'
import { relink } from './link-identities.ts'
import { Profiles } from './derive-profiles.ts'
import { firstEntries, ReleaseLog, runningOf, type Running } from '../warehouse/release-log.ts'
import { continueStream, placeStreams, rederiveStreams } from './derive-sessions.ts'
import { Turn, type AllImages } from './micro-batch.ts'
import type { Commit, Head, LandedKey, Warehouse } from '../warehouse/warehouse.ts'

/** Images kept in memory between batches, of each kind, unless the caller says otherwise. */
const IMAGES_MAX = 4_000

/** What the caller says about a batch. */
export type Delivery = {
  origin: string
  /** Now, microseconds. */
  receivedAt: number
  /** The watermark asked for, microseconds. */
  watermark?: number | null
  /** Dead letters whose bytes this batch is made of. */
  resolving?: readonly string[]
  /** Landed messages that this batch is made of. */
  applying?: readonly LandedKey[]
}

/** What a turn did. */
export type Outcome = {
  read: number
  landed: number
  duplicates: number
  /** Events of erased persons, dropped. */
  erased: number
  /** By reason. */
  refused: Map<string, number>
  /** Rows of the outbox. */
  effects: number
}

/** A turn whose commit is under way. */
export type Begun = { outcome: Outcome; committed: Promise<void> }

/** How much of the tables is derived: whose the events are, or their journeys and funnels too. */
export type Extent = 'people' | 'everything'

export class Pipeline {
  /** What the tables are derived from: the live versions, whatever the directory has. */
  readonly definitions: Definitions
  /** Defined versions that are not live. */
  readonly waiting: readonly Release[]
  readonly compiled: Compiled
  /** What turns derive. */
  readonly #derived: Compiled
  readonly #warehouse: Warehouse
  readonly #images: AllImages
  readonly #erased: ErasedPersons
  /** Where the last commit leaves the warehouse, be it under way. */
  #head: Head
  #committed: Promise<void> = Promise.resolve()
  #unreleased: Release[]

  private constructor(
    warehouse: Warehouse,
    running: Running,
    head: Head,
    erased: ErasedPersons,
    extent: Extent,
    imagesMax: number,
  ) {
    this.#warehouse = warehouse
    this.definitions = running.definitions
    this.waiting = running.waiting
    this.compiled = compile(running.definitions)
    this.#derived = extent === 'people' ? withoutJourneys(this.compiled) : this.compiled
    this.#head = head
    this.#unreleased = running.unreleased
    this.#erased = erased
    const isEmpty = head.batch === 0
    this.#images = imagesFor(this.compiled, { warehouse, max: imagesMax, isEmpty })
  }

  /** Continues where the warehouse's last commit left off, under what is live in it. With the key
   * of hashed namespaces, erased persons are known again in refused lines by plain values too. */
  static async open(
    warehouse: Warehouse,
    definitions: Definitions,
    {
      hashKey,
      extent = 'everything',
      imagesMax = IMAGES_MAX,
    }: { hashKey?: string | undefined; extent?: Extent; imagesMax?: number | undefined } = {},
  ): Promise<Pipeline> {
    const head = await warehouse.open()
    const running = runningOf(definitions, await ReleaseLog.read(warehouse))
    const { identity } = running.definitions
    const erased = await ErasedPersons.load(warehouse, head, identity, hashKey)
    return new Pipeline(warehouse, running, head, erased, extent, imagesMax)
  }

  get head(): Readonly<Head> {
    return this.#head
  }

  /** Whether a batch may be begun while the commit before it is under way. */
  get answersMeanwhile(): boolean {
    return this.#warehouse.answersMeanwhile
  }

  /** Takes a batch all the way. After a rejection the warehouse is as it was. */
  async advance(batch: EventBatch, delivery: Delivery): Promise<Outcome> {
    const { outcome, committed } = await this.begin(batch, delivery)
    await committed
    return outcome
  }

  /** Takes a batch up to its commit, which is under way then. Where the warehouse answers meanwhile
   * the next batch may be begun; it fails with what was committed before it. */
  async begin(batch: EventBatch, delivery: Delivery): Promise<Begun> {
    const before = this.#committed
    try {
      const landing = await land(this.#warehouse, batch, this.#erased)
      const turn = this.#turnOf(batch, landing, delivery.watermark ?? null)
      const identities = new Identities(turn)
      const profiles = new Profiles(turn)
      await loadImages(turn, batch, landing)
      await relink(turn, batch, landing.landedRow)
      await deriveStreams(turn, identities, profiles)
      const effects = await profiles.fold()
      identities.settle()
      const commit = await this.#commitOf(turn, batch, landing, effects, profiles, delivery)
      await before
      this.#committed = this.#commit(commit, turn.watermark)
      const outcome = outcomeOf(batch, landing, effects.length)
      return { outcome, committed: this.#committed }
    } catch (thrown) {
      await before.finally(() => this.#forget())
      throw thrown
    }
  }

  #turnOf(batch: EventBatch, landing: Landing, asked: number | null): Turn {
    let watermark = this.#head.watermark ?? -Infinity
    for (const row of landing.rows) watermark = Math.max(watermark, batch.occurredAt[row] ?? 0)
    if (asked !== null) watermark = Math.max(watermark, asked)
    const turn = new Turn({
      compiled: this.#derived,
      images: this.#images,
      warehouse: this.#warehouse,
      watermarkBefore: this.#head.watermark,
      watermark: watermark === -Infinity ? null : watermark,
    })
    turn.add(batch, landing.rows)
    return turn
  }

  async #commitOf(
    turn: Turn,
    batch: EventBatch,
    landing: Landing,
    effects: OutboxRow[],
    profiles: Profiles,
    delivery: Delivery,
  ): Promise<Commit> {
    const builder = new CommitBuilder()
    builder.events(batch, landing)
    const refused = landing.refusals.map((refusal) => deadLetterIdOf(batch, refusal))
    const onRecord = refused.length === 0 ? [] : await this.#warehouse.deadLetters(refused)
    const { origin, receivedAt } = delivery
    builder.deadLetters(batch, landing, new Set(onRecord), origin, receivedAt)
    const stillRefused = new Set(refused)
    builder.resolutions((delivery.resolving ?? []).filter((id) => !stillRefused.has(id)))
    builder.applied(delivery.applying ?? [])
    for (const [table, change] of turn.changes) builder.change(table, change)
    builder.effects(effects)
    builder.history(turn)
    builder.timers(profiles.timers)
    builder.images(turn)
    builder.releases(firstEntries(this.#unreleased))
    builder.funnels(this.#unreleased, this.compiled.funnels)
    return builder.build(
      {
        batch: this.#head.batch + 1,
        recordedAt: Math.max(receivedAt, this.#head.recordedAt + 1),
        watermark: turn.watermark,
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
    const before = { head: this.#head, unreleased: this.#unreleased }
    this.#head = { batch: commit.batch, recordedAt: commit.recordedAt, watermark }
    this.#unreleased = []
    for (const images of Object.values(this.#images)) images.settle()
    const committed = this.#warehouse.commit(commit).catch((thrown: unknown) => {
      this.#head = before.head
      this.#unreleased = before.unreleased
      this.#committed = Promise.resolve()
      this.#forget()
      throw thrown
    })
    // Whoever awaits it is told; that may be the next batch.
    committed.catch(() => undefined)
    return committed
  }

  #forget(): void {
    for (const images of Object.values(this.#images)) images.forget()
  }
}

/** Images of all that the batch names: its streams, its identifiers, what its pairs are about. */
export async function loadImages(turn: Turn, batch: EventBatch, landing: Landing): Promise<void> {
  const { stream, identifier } = turn.images
  await stream.load(turn.newRows.keys())
  const identifiers = new Set<string>()
  for (const column of turn.events.identifiers) {
    for (const name of column) if (name !== undefined) identifiers.add(name)
  }
  for (const { row, a, b } of batch.corrections) {
    if ((landing.landedRow[row] as number) >= 0) identifiers.add(a).add(b)
  }
  for (const key of turn.newRows.keys()) {
    const named = stream.get(key)?.open.named
    if (named !== undefined && named !== null) identifiers.add(named)
  }
  await identifier.load(identifiers)
}

/** Continues what can be continued and derives again what the batch turned over, and `again`. */
export async function deriveStreams(
  turn: Turn,
  identities: Identities,
  profiles: Profiles,
  again = new Set<string>(),
): Promise<void> {
  for (const identifier of turn.moved.keys()) {
    const image = turn.images.identifier.get(identifier)
    for (const stream of Object.keys(image?.sightings ?? {})) again.add(stream)
  }
  for (const stream of turn.newRows.keys()) {
    if (again.has(stream)) continue
    if (continueStream(turn, identities, stream)) profiles.gain(stream)
    else again.add(stream)
  }
  await placeStreams(turn, again)
  rederiveStreams(turn, identities, again)
  for (const stream of again) profiles.compare(stream)
}

function outcomeOf(batch: EventBatch, landing: Landing, effects: number): Outcome {
  const refused = new Map<string, number>()
  for (const { reason } of landing.refusals) refused.set(reason, (refused.get(reason) ?? 0) + 1)
  return {
    read: batch.read,
    landed: landing.rows.length,
    duplicates: landing.duplicates,
    erased: landing.erased,
    refused,
    effects,
  }
}
