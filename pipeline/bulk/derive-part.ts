/**
 * Derives a part of a history, and builds its rows. The steps are those of a micro-batch
 * (`derive.ts`), so the rows equal those of any sequence of batches. A part begins with its first
 * event, or continues from stored state.
 *
 * A part has either whole components, of which everything is derived, or whole profiles with known
 * sessions, of which only journeys and funnels are.
 */

import { imagesFor } from '../microbatch/codec/profile-codec.ts'
import { CommitBuilder } from '../microbatch/commit-builder.ts'
import { compile, type Compiled } from '../definition/compile.ts'
import type { EventColumns } from '../decode/event-batch.ts'
import type { Definitions } from '../definition/load.ts'
import { derive, deriveProfiles, type Derived } from '../microbatch/derive.ts'
import type { PlacedCorrection } from '../microbatch/identity-pairs.ts'
import { MicroBatch } from '../microbatch/micro-batch.ts'
import { Ownership, Placements } from '../microbatch/place-streams.ts'
import { rowsFrom } from '../microbatch/row-groups.ts'
import type { StoredReads } from './stored-reads.ts'
import { NO_HEAD } from '../warehouse/head.ts'
import { isImageTable } from '../warehouse/image-tables.ts'
import type { Commit, StateTable } from '../warehouse/warehouse.ts'

/** Owning profiles and sessions of the events of a part, by row. */
export type Owners = { profileIds: string[]; sessionIds: string[] }

export type Part = {
  events: EventColumns[]
  /** Null for a part of whole components. */
  owners: Owners | null
  /** Microseconds. */
  watermark: number | null
  /** Profiles with a timeout that is due, besides those of the events. */
  due?: readonly string[]
}

export type PartSettings = {
  definitions: Definitions
  /** State to write beside the rows, so that batches can continue from it. */
  state: readonly StateTable[]
  /** Whether to write effects to the outbox. */
  hasEffects: boolean
  /** Watermark that parts continue from, microseconds. Ignored without stored state. */
  watermarkBefore?: number | null
}

/** Rows and images of a part. Effects are numbered from 1. */
export type BuiltPart = Pick<Commit, 'inserts' | 'supersedes' | 'images'> & {
  counts: CommitBuilder['counts']
}

/** Stored state of keys without history. */
const NO_MEMORY: StoredReads = {
  images: () => Promise.resolve(new Map()),
  segments: () => Promise.resolve(new Map()),
  outbox: () => Promise.resolve(new Map()),
}

export class PartDeriver {
  readonly #compiled: Compiled
  readonly #settings: PartSettings
  readonly #stored: StoredReads | null

  /** `stored` is null if parts begin with their first events. */
  constructor(settings: PartSettings, stored: StoredReads | null) {
    this.#compiled = compile(settings.definitions)
    this.#settings = settings
    this.#stored = stored
  }

  async derive(part: Part): Promise<BuiltPart> {
    const { hasEffects, state } = this.#settings
    const derived = await this.#derive(part)
    const builder = new CommitBuilder()
    for (const [table, change] of derived.changes) builder.change(table, change)
    if (hasEffects) builder.effects(derived.effects)
    addState(builder, derived, state)
    const { inserts, supersedes, images } = builder.part(NO_HEAD)
    return { inserts, supersedes, images, counts: builder.counts }
  }

  async #derive({ events, owners, watermark, due = [] }: Part): Promise<DerivedPart> {
    const compiled = this.#compiled
    const isEmpty = this.#stored === null
    const state = this.#stored ?? NO_MEMORY
    const working = new MicroBatch({
      compiled,
      images: imagesFor(compiled, { state, max: Infinity, isEmpty }),
      state,
      warehouse: { outbox: (ids) => state.outbox(ids), due: () => Promise.resolve([...due]) },
      watermarkBefore: isEmpty ? watermark : (this.#settings.watermarkBefore ?? null),
      watermark,
    })
    const corrections: PlacedCorrection[] = []
    for (const columns of events) {
      const first = working.newCount
      working.add(columns, rowsFrom(0, columns.count))
      for (const { row, kind, a, b } of columns.corrections) {
        corrections.push({ place: working.events.place(first + row), kind, a, b })
      }
    }
    if (owners === null) return { ...(await derive(working, corrections)), working }
    const placements = new Placements(working, new Map(), ownershipOf(working, owners))
    return { ...(await deriveProfiles(working, placements)), working }
  }
}

type DerivedPart = Derived & { working: MicroBatch }

/** Returns known owners as codes of the working set. */
function ownershipOf({ texts }: MicroBatch, { profileIds, sessionIds }: Owners): Ownership {
  const ownership = new Ownership()
  profileIds.forEach((profile, row) =>
    ownership.set(row, texts.code(profile), texts.code(sessionIds[row] as string)),
  )
  return ownership
}

/** Adds the state that batches continue from. */
function addState(
  builder: CommitBuilder,
  { timers, working }: DerivedPart,
  tables: readonly StateTable[],
): void {
  if (tables.includes('timer')) builder.timers(timers)
  if (tables.some(isImageTable)) builder.images(working.images)
  if (tables.includes('history')) builder.history(working.history())
}
