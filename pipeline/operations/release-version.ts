/**
 * Replay, promotion and rollback. All three build a version from the stored events in a scratch
 * warehouse, with the stages of a run, and take over the difference in one transaction. The same
 * transaction records who did it and why.
 *
 * A version is folded over the recorded sessions and profiles, which it does not change
 * (`replay-journeys.ts`). The rows of a version that is not live are stored beside the live ones, and
 * current views do not show them. A promotion or a rollback updates these rows, makes the version
 * live and replaces the state of profiles, from which runs continue. A replay of everything derives
 * sessions and profiles too (`replay-all.ts`).
 *
 * A crash leaves nothing visible. Running the command again resumes the build.
 */

import type { Scratch } from '../warehouse/scratch.ts'
import { now } from '../base/clock.ts'
import { CommitBuilder } from '../microbatch/commit-builder.ts'
import { compile } from '../definition/compile.ts'
import type { FinalState } from '../definition/outcome.ts'
import type { Definitions, Release } from '../definition/load.ts'
import { UserError } from '../base/errors.ts'
import { NOTHING_READ, progressOf, type Spread } from './part-commits.ts'
import { EVERYTHING, replayEverything, type OnBatch } from './replay-all.ts'
import { replayJourneys } from './replay-journeys.ts'
import {
  exchanged,
  isSame,
  nameOf,
  nextInForce,
  ReleaseLog,
  type ReleaseEntry,
} from '../warehouse/release-log.ts'
import { PROFILE_STATE, STATE_TABLES } from '../warehouse/image-tables.ts'
import type {
  Commit,
  EventWindow,
  Head,
  RowCounts,
  StateTable,
  Warehouse,
} from '../warehouse/warehouse.ts'

export type ReleaseRequest = {
  /** Open; no other run may be writing to it. */
  warehouse: Warehouse
  scratch: Scratch
  /** Definitions in force (see `runningOf`). */
  definitions: Definitions
  /** Version to build. Null builds everything, under the identity and sessions of `definitions`,
   * which may differ from the recorded ones. */
  release: Release | null
  action: 'replayed' | 'promoted' | 'rolled_back'
  by: string | null
  reason: string
  /** Whether visible rows may change. If false, changes are counted and not applied. */
  mayChangeLive: boolean
  /** Only profiles with an event in this window are built. Not allowed for visible rows. */
  within?: EventWindow | null
  spread?: Spread
  onBatch?: OnBatch
}

export type ReleaseResult = RowCounts & {
  /** Events read. */
  events: number
  /** False if the rows are correct and recorded already. */
  isNeeded: boolean
  /** False if nothing had to change, or the change was not allowed. */
  isDone: boolean
}

/** Attempts to catch up with batches that are committed during the build. */
const TRIES_MAX = 3

export async function releaseVersion(parts: ReleaseRequest): Promise<ReleaseResult> {
  const { warehouse, scratch, release, action, within = null } = parts
  const log = await ReleaseLog.read(warehouse)
  const isLive = release === null || log.live().some((one) => isSame(one, release))
  if (isLive && action !== 'replayed') {
    throw new UserError(
      `${wordsOf(release)} is already live: npm run release -- status prints the versions`,
    )
  }
  const changesLive = isLive || action !== 'replayed'
  if (changesLive && within !== null) {
    throw new UserError('a live version is always built whole: leave out --from and --to', 2)
  }
  const entries = entriesOf(parts, log)
  const result: ReleaseResult = {
    inserted: 0,
    superseded: 0,
    events: 0,
    isNeeded: false,
    isDone: false,
  }
  const onBatch: OnBatch = (done, total, step) => {
    result.events = Math.max(result.events, total)
    parts.onBatch?.(done, total, step)
  }
  const { from, head, state } = await built({ ...parts, onBatch }, changesLive)
  const { openDifference } = scratch
  const takeover = { from, version: release, within, state, openDifference }
  await warehouse.takeOver(takeover, (counts) => {
    Object.assign(result, counts)
    const isNew = entries.some((entry) => entry.action === 'registered')
    result.isNeeded = !isLive || isNew || counts.inserted + counts.superseded > 0
    if (!result.isNeeded || (changesLive && !parts.mayChangeLive)) return null
    result.isDone = true
    return commitOf(parts, entries, head, counts)
  })
  await scratch.discard()
  return result
}

/** Builds in the scratch warehouse. Returns its URL, the head it is built up to, and the state to
 * take over. */
async function built(
  parts: ReleaseRequest,
  changesLive: boolean,
): Promise<{ from: string; head: Head; state: readonly StateTable[] }> {
  const { warehouse, release } = parts
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const head = await warehouse.open()
    // A fold of profiles does not catch up with batches that are committed meanwhile.
    const isFold = release !== null && (!changesLive || tries === 0)
    const building = isFold ? folded(parts, release, head, changesLive) : everything(parts)
    const from = await computed(parts, building)
    const { state } = building
    if ((await warehouse.open()).batch === head.batch) return { from, head, state }
  }
  throw new UserError(
    'new batches are committed faster than the build catches up: stop the runs, then try again',
  )
}

/** How a scratch warehouse is built. */
type Building = {
  /** Definitions recorded in it. */
  definitions: Definitions
  /** Label of its fold. */
  label: string
  /** State that it contains. */
  state: readonly StateTable[]
  /** Builds or resumes. Returns false if what it found there was built from events erased since. */
  build: (other: Warehouse) => Promise<boolean>
}

/** Builds all derived tables. */
function everything({
  warehouse,
  release,
  definitions,
  spread,
  onBatch,
}: ReleaseRequest): Building {
  const under = release === null ? definitions : exchanged(definitions, release)
  return {
    definitions: under,
    label: EVERYTHING,
    state: STATE_TABLES,
    build: (scratch) =>
      replayEverything({ warehouse, scratch, definitions: under, onBatch, ...spread }),
  }
}

/** Builds the rows of one version over the recorded profiles and sessions. If it will be live, all
 * live journeys and funnels are folded, because they share the state of a profile. */
function folded(
  parts: ReleaseRequest,
  release: Release,
  { batch, watermark }: Head,
  willBeLive: boolean,
): Building {
  const { warehouse, within = null, spread, onBatch } = parts
  const bare = { ...parts.definitions, journeys: [], funnels: [], cohorts: [] }
  const definitions = exchanged(willBeLive ? parts.definitions : bare, release)
  const state = willBeLive ? stateUnder(definitions, parts.definitions) : []
  const window = `${within?.from ?? ''} to ${within?.to ?? ''}`
  const label = `one version, batch ${batch}, ${window}, with ${state.join(' ') || 'no state'}`
  const fold = { source: warehouse, definitions, watermark, within, label, state }
  return {
    definitions,
    label,
    state,
    build: async (target) => {
      await replayJourneys({
        ...fold,
        ...spread,
        target,
        onPart: (done, total) => onBatch?.(done, total, 'derived'),
      })
      return true
    },
  }
}

/** Returns the state that definitions change. History has the values that guards read, so it is
 * written again for other guards. */
function stateUnder(definitions: Definitions, live: Definitions): readonly StateTable[] {
  const pathsOf = (one: Definitions) => JSON.stringify(compile(one).operandPaths)
  return pathsOf(definitions) === pathsOf(live) ? PROFILE_STATE : [...PROFILE_STATE, 'history']
}

/** Builds in the scratch warehouse and returns its URL. */
async function computed(
  { scratch }: ReleaseRequest,
  { build, ...wanted }: Omit<Building, 'state'>,
): Promise<string> {
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
    if (batch === 0) {
      throw new UserError(
        'not all stored events were processed; some may have been erased meanwhile: run the same ' +
          'command again',
      )
    }
    // The scratch warehouse was left by other definitions, or by events erased since.
    await scratch.discard()
  }
}

/** Returns whether a warehouse is new, or was left by the same build. */
async function fits(
  other: Warehouse,
  { definitions, label }: Pick<Building, 'definitions' | 'label'>,
): Promise<boolean> {
  const { entries } = await ReleaseLog.read(other)
  const registered = entries.filter(({ action }) => action === 'registered')
  if (registered.length === 0) return true
  const texts = (releases: Release[]) => releases.map((one) => `${nameOf(one)} ${one.hash}`).sort()
  if (texts(registered).join() !== texts(definitions.releases).join()) return false
  const progress = await progressOf(other)
  return progress === null || progress.label === label
}

/** Returns the release entries to record. */
function entriesOf(parts: ReleaseRequest, log: ReleaseLog): ReleaseEntry[] {
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
  { release, action, definitions }: ReleaseRequest,
  entries: ReleaseEntry[],
  head: Head,
  counts: RowCounts,
): Commit {
  const builder = new CommitBuilder()
  if (release !== null && entries.some((entry) => entry.action === 'registered')) {
    builder.funnels([release], compile(exchanged(definitions, release)).funnels)
    builder.outcomes(definitions.finalStates.filter((state) => isOfRelease(state, release)))
  }
  builder.releases(entries)
  builder.taken(counts)
  return builder.build(
    {
      batch: head.batch + 1,
      recordedAt: Math.max(now(), head.recordedAt + 1),
      watermark: head.watermark,
    },
    { origin: `${action} ${wordsOf(release)}`, ...NOTHING_READ },
  )
}

function isOfRelease({ journey, version }: FinalState, release: Release): boolean {
  return release.kind === 'journey' && release.id === journey && release.version === version
}

function wordsOf(release: Release | null): string {
  return release === null ? 'everything' : nameOf(release)
}
