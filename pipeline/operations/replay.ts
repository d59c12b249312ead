/**
 * Replay, promotion and rollback: one thing with three names. A version is built from the stored
 * events by the very stages that derive the tables, in a warehouse beside this one, and what
 * differs is taken over in one transaction, together with the rows that say who did it and why.
 *
 * A replay of a version that is not live folds its journey alone, over the sessions and profiles on
 * record (`refold.ts`), and its rows come to stand beside the live ones, where nobody sees them. A
 * promotion or a rollback brings its rows up to date, moves the pointer, and exchanges what runs
 * continue from: for that everything is derived again (`recompute.ts`), as it is by a replay of the
 * live version or of everything.
 *
 * After a crash nothing of it is visible; done again, it goes on where it was.
 */

import type { Scratch } from '../warehouse/scratch.ts'
import { now } from '../base/clock.ts'
import { CommitBuilder } from '../microbatch/commit-builder.ts'
import { compile } from '../definition/compile.ts'
import type { Definitions, Release } from '../definition/load.ts'
import { UserError } from '../base/errors.ts'
import { ALL_JOURNEYS, recompute, type OnBatch } from './replay-all.ts'
import { progressOf, refold, type Spread } from './replay-journeys.ts'
import {
  exchanged,
  isSame,
  nameOf,
  nextInForce,
  ReleaseLog,
  type ReleaseEntry,
} from '../warehouse/release-log.ts'
import type { Commit, EventWindow, Head, RowCounts, Warehouse } from '../warehouse/warehouse.ts'

export type Rebuild = {
  /** Open; no run is under way in it. */
  warehouse: Warehouse
  scratch: Scratch
  /** What runs in it now (see `runningOf`). */
  definitions: Definitions
  /** The version to be built; null: everything, under the identity and sessions of `definitions`,
   * which may be others than on record. */
  release: Release | null
  action: 'replayed' | 'promoted' | 'rolled_back'
  by: string | null
  reason: string
  /** Whether rows that readers see may be changed; else they are counted and left as they are. */
  mayChangeLive: boolean
  /** Only profiles with an event in it are built; not for what readers see. */
  within?: EventWindow | null
  spread?: Spread
  onBatch?: OnBatch
}

export type Rebuilt = RowCounts & {
  /** That were read for it. */
  events: number
  /** False: all is as it should be, and on record. */
  isNeeded: boolean
  /** False: nothing was to be done, or it was not allowed. */
  isDone: boolean
}

/** Batches that come while a version is built are caught up with, at most so many times. */
const TRIES_MAX = 3

export async function rebuild(parts: Rebuild): Promise<Rebuilt> {
  const { warehouse, scratch, release, action, within = null } = parts
  const log = await ReleaseLog.read(warehouse)
  const isLive = release === null || log.live().some((one) => isSame(one, release))
  if (isLive && action !== 'replayed') throw new UserError(`${wordsOf(release)} is live already`)
  const changesLive = isLive || action !== 'replayed'
  if (changesLive && within !== null) {
    throw new UserError('what readers see is built whole: leave out --from and --to', 2)
  }
  const entries = entriesOf(parts, log)
  const rebuilt: Rebuilt = { inserted: 0, superseded: 0, events: 0, isNeeded: false, isDone: false }
  const onBatch: OnBatch = (done, total, step) => {
    rebuilt.events = Math.max(rebuilt.events, total)
    parts.onBatch?.(done, total, step)
  }
  const { from, head } = await built({ ...parts, onBatch }, changesLive)
  const { openDifference } = scratch
  const takeover = { from, version: release, within, hasMemory: changesLive, openDifference }
  await warehouse.takeOver(takeover, (counts) => {
    Object.assign(rebuilt, counts)
    const isNew = entries.some((entry) => entry.action === 'registered')
    rebuilt.isNeeded = !isLive || isNew || counts.inserted + counts.superseded > 0
    if (!rebuilt.isNeeded || (changesLive && !parts.mayChangeLive)) return null
    rebuilt.isDone = true
    return commitOf(parts, entries, head, counts)
  })
  await scratch.discard()
  return rebuilt
}

/** Builds all that there is beside the warehouse; where, and up to which head. */
async function built(parts: Rebuild, changesLive: boolean): Promise<{ from: string; head: Head }> {
  const { warehouse } = parts
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const head = await warehouse.open()
    const from = await computed(parts, changesLive ? everything(parts) : beside(parts, head))
    if ((await warehouse.open()).batch === head.batch) return { from, head }
  }
  throw new UserError('batches are committed faster than they are caught up with: stop the runs')
}

/** How another warehouse comes to have what is wanted. */
type Building = {
  /** What is on record in it. */
  definitions: Definitions
  /** What a fold in it is of. */
  label: string
  /** Goes on with what is there; false: that was of events that are gone. */
  build: (other: Warehouse) => Promise<boolean>
}

/** All that batches derive. */
function everything({ warehouse, release, definitions, spread, onBatch }: Rebuild): Building {
  const under = release === null ? definitions : exchanged(definitions, release)
  return {
    definitions: under,
    label: ALL_JOURNEYS,
    build: (scratch) => recompute({ warehouse, scratch, definitions: under, onBatch, ...spread }),
  }
}

/** The rows of one version, over whose the events are on record to be. */
function beside(parts: Rebuild, { batch, watermark }: Head): Building {
  const { warehouse, release, within = null, spread, onBatch } = parts
  const bare = { ...parts.definitions, journeys: [], funnels: [], cohorts: [] }
  const definitions = exchanged(bare, release as Release)
  const label = `one version, batch ${batch}, ${within?.from ?? ''} to ${within?.to ?? ''}`
  const fold = { source: warehouse, definitions, watermark, within, label, hasMemory: false }
  return {
    definitions,
    label,
    build: async (target) => {
      await refold({
        ...fold,
        ...spread,
        target,
        onPart: (done, total) => onBatch?.(done, total, 'journeys'),
      })
      return true
    },
  }
}

/** Builds in the other warehouse; its url. */
async function computed({ scratch }: Rebuild, { build, ...wanted }: Building): Promise<string> {
  for (;;) {
    const other = scratch.warehouse()
    let isSound = false
    const { batch } = await other.open()
    try {
      isSound = (await fits(other, wanted)) && (await build(other))
    } finally {
      await other.close()
    }
    if (isSound) return other.url
    if (batch === 0) throw new UserError('not every stored event could be processed again')
    // What was left there was of other definitions, or of events that are gone.
    await scratch.discard()
  }
}

/** Whether a warehouse is new, or left by the same building. */
async function fits(
  other: Warehouse,
  { definitions, label }: Omit<Building, 'build'>,
): Promise<boolean> {
  const { entries } = await ReleaseLog.read(other)
  const registered = entries.filter(({ action }) => action === 'registered')
  if (registered.length === 0) return true
  const texts = (releases: Release[]) => releases.map((one) => `${nameOf(one)} ${one.hash}`).sort()
  if (texts(registered).join() !== texts(definitions.releases).join()) return false
  const progress = await progressOf(other)
  return progress === null || progress.label === label
}

/** What goes on record. */
function entriesOf(parts: Rebuild, log: ReleaseLog): ReleaseEntry[] {
  const { release, definitions, by, reason, within = null } = parts
  const action = within === null ? parts.action : 'replayed_in_part'
  const releases = release === null ? nextInForce(definitions, log) : [release]
  return releases.flatMap((one) => {
    const entry = { ...one, by, reason }
    const done: ReleaseEntry = { ...entry, action }
    if (log.registered(one.kind, one.id, one.version) !== undefined) return [done]
    return [{ ...entry, action: 'registered' }, done]
  })
}

function commitOf(
  { release, action, definitions }: Rebuild,
  entries: ReleaseEntry[],
  head: Head,
  counts: RowCounts,
): Commit {
  const builder = new CommitBuilder()
  if (release !== null && entries.some((entry) => entry.action === 'registered')) {
    builder.funnels([release], compile(exchanged(definitions, release)).funnels)
  }
  builder.releases(entries)
  builder.taken(counts)
  return builder.build(
    {
      batch: head.batch + 1,
      recordedAt: Math.max(now(), head.recordedAt + 1),
      watermark: head.watermark,
    },
    { origin: `${action} ${wordsOf(release)}`, read: 0, duplicates: 0, rejected: 0 },
  )
}

function wordsOf(release: Release | null): string {
  return release === null ? 'everything' : nameOf(release)
}
