/**
 * Replay, promotion and rollback: one thing with three names. A version is built from the stored
 * events by the very stages that derive the tables (`recompute.ts`), and what differs is taken over
 * into the warehouse in one transaction, together with the rows that say who did it and why.
 *
 * A replay builds the rows of a version beside the live one, where nobody sees them. A promotion or
 * a rollback brings its rows up to date, moves the pointer, and exchanges what runs continue from.
 * After a crash nothing of it is visible; done again, it finds only what is missing.
 */

import { now } from './clock.ts'
import { CommitBuilder } from './commit.ts'
import { compile } from './compile.ts'
import type { Definitions, Release } from './definitions.ts'
import { UserError } from './errors.ts'
import { countOf, recompute, type Recomputation } from './recompute.ts'
import { exchanged, isSame, nameOf, ReleaseLog, type ReleaseEntry } from './releases.ts'
import type { Commit, Head, RowCounts, Warehouse } from './warehouse.ts'

/** Recomputations, each of what has landed since, before a writer that never rests is told of. */
const ROUNDS_MAX = 3

/** A warehouse beside another, for the time of a recomputation. */
export type Scratch = {
  /** Not opened. What an interrupted recomputation left is still in it. */
  warehouse: () => Warehouse
  /** Removes it. */
  discard: () => Promise<void>
}

export type Rebuild = {
  /** Open; no run is under way in it. */
  warehouse: Warehouse
  scratch: Scratch
  /** What runs in it now (see `runningOf`). */
  definitions: Definitions
  release: Release
  action: 'replayed' | 'promoted' | 'rolled_back'
  by: string | null
  reason: string
  /** Whether rows that readers see may be changed; else they are counted and left as they are. */
  mayChangeLive: boolean
  onBatch?: Recomputation['onBatch']
}

export type Rebuilt = RowCounts & {
  events: number
  /** False: nothing was to be done, or it was not allowed. */
  isDone: boolean
}

export async function rebuild(parts: Rebuild): Promise<Rebuilt> {
  const { warehouse, scratch, release, action } = parts
  const log = await ReleaseLog.read(warehouse)
  const isLive = log.live().some((one) => isSame(one, release))
  if (isLive && action !== 'replayed') throw new UserError(`${nameOf(release)} is live already`)
  const definitions = exchanged(parts.definitions, release)
  const changesLive = isLive || action !== 'replayed'
  const { from, events, head } = await (changesLive
    ? settled(parts, definitions)
    : computed(parts, definitions))
  const { entries } = await ReleaseLog.read(warehouse)
  if (entries.length !== log.entries.length) {
    throw new UserError('another version has been built or released meanwhile: look, and try again')
  }
  const rebuilt: Rebuilt = { inserted: 0, superseded: 0, events, isDone: false }
  const takeover = { from, version: release, hasMemory: changesLive }
  await warehouse.takeOver(takeover, (counts) => {
    Object.assign(rebuilt, counts)
    const isNeeded = !isLive || counts.inserted + counts.superseded > 0
    if (!isNeeded || (changesLive && !parts.mayChangeLive)) return null
    rebuilt.isDone = true
    return commitOf(parts, definitions, log, head, counts)
  })
  await scratch.discard()
  return rebuilt
}

/** Everything recomputed: the url of where it is, how many events, and the head afterwards. */
type Computed = { from: string; events: number; head: Head; isSettled: boolean }

/** The same, with nothing committed in the warehouse meanwhile. */
async function settled(parts: Rebuild, definitions: Definitions): Promise<Computed> {
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    const made = await computed(parts, definitions)
    if (made.isSettled) return made
  }
  throw new UserError(
    `${parts.warehouse.url} is written to all the while: stop what writes until this is done`,
  )
}

async function computed(parts: Rebuild, definitions: Definitions): Promise<Computed> {
  const { warehouse, scratch, onBatch } = parts
  for (;;) {
    const other = scratch.warehouse()
    const { batch } = await other.open()
    try {
      if (await isUnder(definitions, other)) {
        const also = onBatch === undefined ? {} : { onBatch }
        const of = await recompute({ warehouse, scratch: other, definitions, ...also })
        const events = await countOf(warehouse, of)
        if ((await countOf(other, await other.open())) === events) {
          const head = await warehouse.open()
          return { from: other.url, events, head, isSettled: head.batch === of.batch }
        }
      }
    } finally {
      await other.close()
    }
    if (batch === 0) throw new UserError('not every stored event could be processed again')
    // What an earlier recomputation left was of other definitions, or of events that are gone.
    await scratch.discard()
  }
}

/** Whether a warehouse is new, or derived under exactly these definitions. */
async function isUnder(definitions: Definitions, warehouse: Warehouse): Promise<boolean> {
  const { entries } = await ReleaseLog.read(warehouse)
  const registered = entries.filter(({ action }) => action === 'registered')
  if (registered.length === 0) return true
  const texts = (releases: Release[]) => releases.map((one) => `${nameOf(one)} ${one.hash}`).sort()
  return texts(registered).join() === texts(definitions.releases).join()
}

function commitOf(
  { release, action, by, reason }: Rebuild,
  definitions: Definitions,
  log: ReleaseLog,
  head: Head,
  counts: RowCounts,
): Commit {
  const builder = new CommitBuilder()
  const entries: ReleaseEntry[] = [{ ...release, action, by, reason }]
  if (log.registered(release.kind, release.id, release.version) === undefined) {
    entries.unshift({ ...release, action: 'registered', by, reason })
    builder.funnels([release], compile(definitions).funnels)
  }
  builder.releases(entries)
  builder.taken(counts)
  return builder.build(
    {
      batch: head.batch + 1,
      recordedAt: Math.max(now(), head.recordedAt + 1),
      watermark: head.watermark,
    },
    { origin: `${action} ${nameOf(release)}`, read: 0, duplicates: 0, rejected: 0 },
  )
}
