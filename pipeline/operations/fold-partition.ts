/**
 * The journeys of some profiles from the beginning: all their events go in, and the commit that
 * has their rows comes out. It is the last stage of a turn (`profiles.ts`) over profiles of which
 * nothing is remembered, so what it gives is what any sequence of batches gives.
 *
 * Effects are left out: deriving something again makes nothing happen.
 */

import { imagesFor } from '../microbatch/profile-codec.ts'
import { CommitBuilder } from '../microbatch/commit-builder.ts'
import { compile, type Compiled } from '../definition/compile.ts'
import type { ChunkDecoder } from '../decode/decode.ts'
import type { Definitions } from '../definition/load.ts'
import { assert } from '../base/errors.ts'
import { Profiles } from '../microbatch/derive-profiles.ts'
import { decodeStored, landedDecoder } from './stored-events.ts'
import { Turn, type Memory } from '../microbatch/micro-batch.ts'
import type { Commit, Head } from '../warehouse/warehouse.ts'

/** All events of some profiles that journeys ask for, and whose they are. */
export type Part = {
  /** One event a line, see `stored.ts`; lines of a profile stand together. */
  lines: Uint8Array
  profileIds: string[]
  sessionIds: string[]
  /** What the commit is to be: its number, time and watermark, and what `batches` says of it. */
  head: Head
  origin: string
}

export type FoldSettings = {
  definitions: Definitions
  /** Images and timers are written too, so that batches can go on from there. */
  hasMemory: boolean
}

const NO_MEMORY: Memory = {
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
    assert(batch.count === profileIds.length, 'every event of a profile says who')
    const turn = this.#turn(head.watermark)
    turn.add(
      batch,
      Array.from({ length: batch.count }, (_, row) => row),
    )
    turn.after.profile.push(...profileIds)
    turn.after.session.push(...sessionIds)
    const profiles = new Profiles(turn)
    for (const stream of turn.newRows.keys()) profiles.gain(stream)
    await profiles.fold()
    const builder = new CommitBuilder()
    for (const [table, change] of turn.changes) builder.change(table, change)
    if (this.#hasMemory) {
      builder.timers(profiles.timers)
      builder.images(turn)
    }
    return builder.build(head, { origin, read: batch.count, duplicates: 0, rejected: 0 })
  }

  #turn(watermark: number | null): Turn {
    const parts = { warehouse: NO_MEMORY, max: Infinity, isEmpty: true }
    return new Turn({
      compiled: this.#compiled,
      images: imagesFor(this.#compiled, parts),
      warehouse: NO_MEMORY,
      watermarkBefore: watermark,
      watermark,
    })
  }
}
