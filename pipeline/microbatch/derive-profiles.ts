/**
 * Journeys and funnels of the profiles a batch touches.
 *
 * A profile is *continued* from its image when it only gains events, all after what it has folded
 * and after every timeout decided. Any other (it lost events, got some of another profile's, got a
 * late one, or an event's session changed) is *refolded*: once over the events it had, up to the
 * watermark before, and once over those it has now. The difference is the change.
 */

import { Changes, diff } from './rows/changelog.ts'
import { RefoldReason } from './rows/superseding-reasons.ts'
import type { DerivedSessions } from './derive-sessions.ts'
import type { MicroBatch } from './micro-batch.ts'
import type { CarriedEffects } from './outbox.ts'
import type { Ownership, Placements } from './place-streams.ts'
import { freshFoldState, ProfileFold, foldDue } from './profile-fold.ts'
import { RowGroups, sortRows } from './row-groups.ts'
import type { Rows } from './rows/rows.ts'
import type { ProfileImage } from './image-cache.ts'
import { Ints } from '../stages/growable-array.ts'
import type { SupersededBecause } from '../warehouse/warehouse.ts'

/** Reason for refolding a profile, and the streams of its rows before and after the batch. */
type Refold = { reason: SupersededBecause; streams: Set<number> }

/** Profiles to fold. Profiles and streams are codes of the batch's texts. */
export type ProfilePlan = {
  continued: number[]
  /** New rows by continued profile. */
  added: RowGroups
  refolded: Map<number, Refold>
  /** Streams that must be placed before the refolded profiles. */
  streams: Set<number>
}

/** Earliest timeouts of profiles that changed; instants in microseconds. */
export type Timers = { dueAt: number[]; profileId: string[] }

export type DerivedProfiles = { changes: Changes; effects: CarriedEffects; timers: Timers }

/** Plans the profiles that the sessions touch and those with a timeout that is due. Loads their
 * images and changes nothing. */
export async function planProfiles(
  batch: MicroBatch,
  sessions: Pick<DerivedSessions, 'placements' | 'continued' | 'rederived'>,
): Promise<ProfilePlan> {
  const { images, texts, warehouse, watermarkBefore, watermark } = batch
  const refolded = refoldsOf(batch, sessions)
  const added = addedRows(batch, sessions)
  const touched = new Set(added.keys)
  for (const profile of refolded.keys()) touched.add(profile)
  if (watermark !== null && watermark !== watermarkBefore) {
    for (const due of await warehouse.due(watermarkBefore, watermark)) touched.add(texts.code(due))
  }
  await images.profile.load(texts.allOf(touched))
  const plan: ProfilePlan = { continued: [], added, refolded, streams: new Set() }
  const fold = foldOf(batch, sessions.placements.after)
  for (const profile of touched) {
    const image = images.profile.get(texts.at(profile))
    const rows = added.of(profile)
    let refold = refolded.get(profile)
    if (refold === undefined) {
      const reason = reasonToRefold(batch, fold, image, rows)
      if (reason === null) {
        plan.continued.push(profile)
        continue
      }
      refold = { reason, streams: new Set() }
      refolded.set(profile, refold)
    }
    for (const row of rows) refold.streams.add(batch.events.stream.at(row))
    for (const stream of image?.streams ?? []) refold.streams.add(texts.code(stream))
    for (const stream of refold.streams) plan.streams.add(stream)
  }
  return plan
}

/** Folds the planned profiles and stores their images. The plan's streams must be placed. */
export function foldProfiles(
  batch: MicroBatch,
  plan: ProfilePlan,
  placements: Placements,
): DerivedProfiles {
  const derived: DerivedProfiles = {
    changes: new Changes(batch.texts),
    effects: { continued: [], was: [], is: [] },
    timers: { dueAt: [], profileId: [] },
  }
  continueProfiles(batch, plan, placements, derived)
  if (plan.refolded.size > 0) refoldProfiles(batch, plan.refolded, placements, derived)
  return derived
}

/** Returns the relevant new rows by profile. */
function addedRows(
  batch: MicroBatch,
  { placements, continued, rederived }: Omit<DerivedSessions, 'changes'>,
): RowGroups {
  const rows = new Ints()
  const profiles = new Ints()
  for (const streams of [continued, rederived]) {
    for (const stream of streams) {
      for (const row of batch.newRowsOf(stream)) {
        if (!batch.isRelevant(row)) continue
        rows.push(row)
        profiles.push(placements.after.profile.at(row))
      }
    }
  }
  return new RowGroups(batch.events, rows.toArray(), profiles.values, batch.texts.size)
}

/** Returns the profiles that must be refolded because an event of a rederived stream has another
 * owner or session. */
function refoldsOf(
  batch: MicroBatch,
  { placements, rederived }: Pick<DerivedSessions, 'placements' | 'rederived'>,
): Map<number, Refold> {
  const { before, after } = placements
  const refolds = new Map<number, Refold>()
  const add = (profile: number, stream: number, reason: SupersededBecause) => {
    const refold = refolds.get(profile)
    if (refold === undefined) {
      refolds.set(profile, { reason, streams: new Set([stream]) })
      return
    }
    refold.streams.add(stream)
    if (refold.reason !== 'identity') refold.reason = reason
  }
  for (const stream of rederived) {
    for (const row of batch.historyOf(stream)) {
      if (!batch.isRelevant(row)) continue
      const had = before.profileOf(row)
      const has = after.profileOf(row)
      if (had !== has) {
        add(had, stream, 'identity')
        if (has >= 0) add(has, stream, 'identity')
      } else if (before.sessionOf(row) !== after.sessionOf(row)) {
        add(has, stream, 'late_event')
      }
    }
  }
  return refolds
}

/** Returns why a profile that gains `added` cannot be continued; null if it can. */
function reasonToRefold(
  { events }: MicroBatch,
  fold: ProfileFold,
  image: ProfileImage | undefined,
  added: Int32Array,
): SupersededBecause | null {
  if (image === undefined) return null
  const [first] = added
  if (first !== undefined) {
    const decidedUpTo = Math.max(image.state.decidedUpTo, image.funnels.decidedUpTo)
    if (events.occurredAt.at(first) < decidedUpTo) return 'late_event'
    if (image.last !== null && !events.isAfter(first, image.last)) return 'late_event'
  }
  return fold.mustFoldAgain(image, image.last, added) ? 'progress' : null
}

function continueProfiles(
  batch: MicroBatch,
  { continued, added }: ProfilePlan,
  placements: Placements,
  { changes, effects, timers }: DerivedProfiles,
): void {
  const { compiled, events, images, texts, watermark } = batch
  const fold = foldOf(batch, placements.after)
  for (const profile of continued) {
    const profileId = texts.at(profile)
    const rows = added.of(profile)
    const image = images.profile.get(profileId)
    const isDue = image !== undefined && image.due <= (watermark ?? -Infinity)
    if (rows.length === 0 && !isDue) continue
    const { state, funnels } = image ?? freshFoldState(compiled)
    fold.run(profileId, { state, funnels }, rows, watermark)
    const last = rows[rows.length - 1]
    keep(batch, timers, {
      profileId,
      last: last === undefined ? (image?.last ?? null) : events.place(last),
      streams: withStreams(batch, image?.streams ?? [], rows),
      due: foldDue(compiled, { state, funnels }),
      state,
      funnels,
    })
  }
  const folded = fold.rows()
  for (const rows of folded.rows) {
    changes.insert(rows)
    const ended = folded.ended.get(rows.table)
    if (ended !== undefined) changes.of(rows.table).supersedes.addAll(ended, 'progress')
  }
  effects.continued = folded.effects
}

/** Adds the streams of rows to those that are known. */
function withStreams({ events, texts }: MicroBatch, known: string[], rows: Int32Array): string[] {
  let streams: Set<string> | null = null
  let latest = -1
  for (const row of rows) {
    const stream = events.stream.at(row)
    if (stream === latest) continue
    latest = stream
    const name = texts.at(stream)
    // Most profiles have one stream.
    if (streams === null && known.length === 1 && known[0] === name) continue
    streams ??= new Set(known)
    streams.add(name)
  }
  return streams === null || streams.size === known.length ? known : [...streams]
}

function refoldProfiles(
  batch: MicroBatch,
  refolds: ReadonlyMap<number, Refold>,
  placements: Placements,
  { changes, effects, timers }: DerivedProfiles,
): void {
  const { compiled, events, texts, watermarkBefore, watermark } = batch
  const { before, after } = placements
  const was = foldOf(batch, before)
  const is = foldOf(batch, after)
  const found = new Ints()
  for (const [profile, { streams }] of refolds) {
    const profileId = texts.at(profile)
    const rows = rowsOfProfile(batch, placements, profile, streams, found)
    const had = before.rowsOf(profile, rows)
    const has = after.rowsOf(profile, rows)
    was.run(profileId, freshFoldState(compiled), had, watermarkBefore)
    const foldState = freshFoldState(compiled)
    is.run(profileId, foldState, has, watermark)
    const last = has[has.length - 1]
    keep(batch, timers, {
      profileId,
      last: last === undefined ? null : events.place(last),
      streams: withStreams(batch, [], has),
      due: foldDue(compiled, foldState),
      state: foldState.state,
      funnels: foldState.funnels,
    })
  }
  const had = was.rows()
  const has = is.rows()
  has.rows.forEach((rows, i) => {
    const earlier = had.rows[i] as Rows
    diff(earlier, rows, changes.of(rows.table), new RefoldReason(refolds, earlier, rows))
  })
  effects.was = had.effects
  effects.is = has.effects
}

/** Returns the relevant rows that a profile has before or after the batch, in event order. Collects
 * them in `found`, which is emptied first. */
function rowsOfProfile(
  batch: MicroBatch,
  { before, after }: Placements,
  profile: number,
  streams: Iterable<number>,
  found: Ints,
): Int32Array {
  found.length = 0
  for (const stream of streams) {
    for (const row of batch.rowsOf(stream)) {
      if (!batch.isRelevant(row)) continue
      if (before.profileOf(row) === profile || after.profileOf(row) === profile) found.push(row)
    }
  }
  return sortRows(batch.events, found.toArray())
}

function foldOf({ compiled, events }: MicroBatch, { session }: Ownership): ProfileFold {
  return new ProfileFold(compiled, events, session)
}

function keep({ images }: MicroBatch, timers: Timers, image: ProfileImage): void {
  const before = images.profile.get(image.profileId)?.due
  images.profile.put(image.profileId, image)
  if (image.due === Infinity || image.due === before) return
  timers.dueAt.push(image.due)
  timers.profileId.push(image.profileId)
}
