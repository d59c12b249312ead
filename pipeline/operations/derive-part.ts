/**
 * Derives a part of a history from its first event on, and builds the commit with its rows. The
 * steps are those of a micro-batch (`derive.ts`) without stored state, so the rows equal those of
 * any sequence of batches.
 *
 * A part has either whole components, of which everything is derived, or whole profiles with known
 * sessions, of which only journeys and funnels are. Writes no effects: a replay sends nothing.
 */

import { imagesFor } from '../microbatch/profile-codec.ts'
import { CommitBuilder } from '../microbatch/commit-builder.ts'
import { compile, type Compiled } from '../definition/compile.ts'
import type { EventColumns } from '../decode/event-batch.ts'
import type { Definitions } from '../definition/load.ts'
import { derive, deriveProfiles, type Derived } from '../microbatch/derive.ts'
import type { PlacedCorrection } from '../microbatch/identity-pairs.ts'
import { MicroBatch, type Lookups } from '../microbatch/micro-batch.ts'
import { Ownership, Placements } from '../microbatch/place-streams.ts'
import type { StateReads } from '../state/state-store.ts'
import type { Commit, Head } from '../warehouse/warehouse.ts'

/** Owning profiles and sessions of the events of a part, by row. */
export type Owners = { profileIds: string[]; sessionIds: string[] }

export type Part = {
  events: EventColumns[]
  /** Null for a part of whole components. */
  owners: Owners | null
  /** Number, time and watermark of the commit. */
  head: Head
  origin: string
}

export type PartSettings = {
  definitions: Definitions
  /** Whether to write state and timers too, so that batches can continue from them. */
  hasMemory: boolean
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
  readonly #hasMemory: boolean

  constructor({ definitions, hasMemory }: PartSettings) {
    this.#compiled = compile(definitions)
    this.#hasMemory = hasMemory
  }

  async derive({ events, owners, head, origin }: Part): Promise<Commit> {
    const working = this.#workingSet(head.watermark)
    const corrections: PlacedCorrection[] = []
    for (const columns of events) {
      const first = working.newCount
      working.add(columns, [...Array(columns.count).keys()])
      for (const { row, kind, a, b } of columns.corrections) {
        corrections.push({ place: working.events.place(first + row), kind, a, b })
      }
    }
    const { changes, timers } = await derivedFrom(working, corrections, owners)
    const builder = new CommitBuilder()
    for (const [table, change] of changes) builder.change(table, change)
    if (this.#hasMemory) {
      builder.timers(timers)
      builder.images(working.images)
      if (owners === null) builder.history(working.segments())
    }
    return builder.build(head, { origin, read: working.newCount, duplicates: 0, rejected: 0 })
  }

  #workingSet(watermark: number | null): MicroBatch {
    const parts = { state: NO_MEMORY, max: Infinity, isEmpty: true }
    return new MicroBatch({
      compiled: this.#compiled,
      images: imagesFor(this.#compiled, parts),
      state: NO_MEMORY,
      warehouse: NO_MEMORY,
      watermarkBefore: watermark,
      watermark,
    })
  }
}

function derivedFrom(
  working: MicroBatch,
  corrections: readonly PlacedCorrection[],
  owners: Owners | null,
): Promise<Derived> {
  if (owners === null) return derive(working, corrections)
  const known = new Ownership(owners.profileIds, owners.sessionIds)
  return deriveProfiles(working, new Placements(working, new Map(), known))
}
