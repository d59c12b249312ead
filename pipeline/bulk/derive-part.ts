/**
 * Derives a part of a history from its first event on, and builds its rows. The steps are those of a
 * micro-batch (`derive.ts`) without stored state, so the rows equal those of any sequence of batches.
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
import { MicroBatch, type Lookups } from '../microbatch/micro-batch.ts'
import { Ownership, Placements } from '../microbatch/place-streams.ts'
import { rowsFrom } from '../microbatch/row-groups.ts'
import type { StateReads } from '../state/state-store.ts'
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
}

export type PartSettings = {
  definitions: Definitions
  /** State to write beside the rows, so that batches can continue from it. */
  state: readonly StateTable[]
  /** Whether to write effects to the outbox. */
  hasEffects: boolean
}

/** Rows and images of a part. Effects are numbered from 1. */
export type BuiltPart = Pick<Commit, 'inserts' | 'supersedes' | 'images'> & {
  counts: CommitBuilder['counts']
}

/** State store and lookups of keys without history. */
const NO_MEMORY: StateReads & Lookups = {
  images: () => Promise.resolve(new Map()),
  segments: () => Promise.resolve(new Map()),
  due: () => Promise.resolve([]),
  outbox: () => Promise.resolve(new Map()),
}

export class PartDeriver {
  readonly #compiled: Compiled
  readonly #settings: PartSettings

  constructor(settings: PartSettings) {
    this.#compiled = compile(settings.definitions)
    this.#settings = settings
  }

  async derive({ events, owners, watermark }: Part): Promise<BuiltPart> {
    const { hasEffects, state } = this.#settings
    const derived = await derivePart(this.#compiled, events, owners, watermark)
    const builder = new CommitBuilder()
    for (const [table, change] of derived.changes) builder.change(table, change)
    if (hasEffects) builder.effects(derived.effects)
    addState(builder, derived, state)
    const { inserts, supersedes, images } = builder.part(NO_HEAD)
    return { inserts, supersedes, images, counts: builder.counts }
  }
}

type DerivedPart = Derived & { working: MicroBatch }

/** Derives events up to a watermark. `owners` is null for whole components. */
async function derivePart(
  compiled: Compiled,
  events: readonly EventColumns[],
  owners: Owners | null,
  watermark: number | null,
): Promise<DerivedPart> {
  const working = new MicroBatch({
    compiled,
    images: imagesFor(compiled, { state: NO_MEMORY, max: Infinity, isEmpty: true }),
    state: NO_MEMORY,
    warehouse: NO_MEMORY,
    watermarkBefore: watermark,
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
