/**
 * Folds the journeys of some profiles from their first event on, and builds the commit with their
 * rows. Runs the last steps of a micro-batch (`derive.ts`) over profiles without state, so its rows
 * equal those of any sequence of batches.
 *
 * Writes no effects: a replay sends nothing.
 */

import { imagesFor } from '../microbatch/profile-codec.ts'
import { CommitBuilder } from '../microbatch/commit-builder.ts'
import { compile, type Compiled } from '../definition/compile.ts'
import type { ChunkDecoder } from '../decode/decode.ts'
import type { Definitions } from '../definition/load.ts'
import { assert } from '../base/errors.ts'
import { deriveProfiles } from '../microbatch/derive.ts'
import { decodeStored, landedDecoder } from './stored-events.ts'
import { MicroBatch, type Lookups } from '../microbatch/micro-batch.ts'
import { Ownership, Placements } from '../microbatch/place-streams.ts'
import type { StateReads } from '../state/state-store.ts'
import type { Commit, Head } from '../warehouse/warehouse.ts'

/** All events of some profiles that the journeys can use, with their profiles and sessions. */
export type Part = {
  /** One event per line, see `stored-events.ts`. The lines of a profile are adjacent. */
  lines: Uint8Array
  profileIds: string[]
  sessionIds: string[]
  /** Number, time and watermark of the commit. */
  head: Head
  origin: string
}

export type FoldSettings = {
  definitions: Definitions
  /** Whether to write state and timers too, so that batches can continue from them. */
  hasMemory: boolean
}

/** State store and lookups of profiles without history. */
const NO_MEMORY: StateReads & Lookups = {
  images: () => Promise.resolve(new Map()),
  segments: () => Promise.resolve(new Map()),
  due: () => Promise.resolve([]),
  outbox: () => Promise.resolve(new Map()),
}

export class PartFolder {
  readonly #compiled: Compiled
  readonly #decoder: ChunkDecoder
  readonly #hasMemory: boolean

  constructor({ definitions, hasMemory }: FoldSettings) {
    this.#compiled = compile(definitions)
    this.#decoder = landedDecoder(definitions.identity, this.#compiled.operandPaths)
    this.#hasMemory = hasMemory
  }

  async fold({ lines, profileIds, sessionIds, head, origin }: Part): Promise<Commit> {
    const batch = decodeStored(this.#decoder, lines, head.recordedAt)
    assert(batch.count === profileIds.length, 'each line of a part decodes to one event')
    const working = this.#workingSet(head.watermark)
    working.add(
      batch,
      Array.from({ length: batch.count }, (_, row) => row),
    )
    const owners = new Ownership(profileIds, sessionIds)
    const placements = new Placements(working, new Map(), owners)
    const { changes, timers } = await deriveProfiles(working, placements)
    const builder = new CommitBuilder()
    for (const [table, change] of changes) builder.change(table, change)
    if (this.#hasMemory) {
      builder.timers(timers)
      builder.images(working.images)
    }
    return builder.build(head, { origin, read: batch.count, duplicates: 0, rejected: 0 })
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
