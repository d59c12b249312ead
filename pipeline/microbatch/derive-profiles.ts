/**
 * Journeys and funnels of the profiles a batch touches.
 *
 * A profile is *continued* from its image when it only gains events, all after what it has folded
 * and after every timeout decided. Any other (it lost events, got some of another profile's, got a
 * late one, or an event's session changed) is *refolded*: once over the events it had, up to the
 * watermark before, and once over those it has now. The difference is the change.
 */

import { Changes, diff, type Reason, type Rows } from './changelog.ts'
import type { DerivedSessions } from './derive-sessions.ts'
import type { MicroBatch } from './micro-batch.ts'
import type { CarriedEffects } from './outbox.ts'
import type { Ownership, Placements } from './place-streams.ts'
import { freshFoldState, ProfileFold, foldDue, type FoldState } from './profile-fold.ts'
import type { ProfileImage } from './image-cache.ts'
import type { SupersededBecause } from '../warehouse/warehouse.ts'

/** Effect of the batch on a profile. */
type Touch = {
  /** New rows of the profile, in event order. */
  added: number[]
  /** Streams of its rows before and after the batch. */
  streams: Set<string>
  /** Reason for refolding it; null if it can be continued. */
  refold: SupersededBecause | null
}

/** Profiles to fold. */
export type ProfilePlan = {
  continued: Map<string, Touch>
  refolded: Map<string, Touch>
  /** Streams that must be placed before the refolded profiles. */
  streams: Set<string>
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
  const { images, warehouse, watermarkBefore, watermark } = batch
  const touches = touchesOf(batch, sessions)
  if (watermark !== null && watermark !== watermarkBefore) {
    for (const due of await warehouse.due(watermarkBefore, watermark)) touches.of(due)
  }
  await images.profile.load(touches.byProfile.keys())
  const plan: ProfilePlan = { continued: new Map(), refolded: new Map(), streams: new Set() }
  const fold = foldOf(batch, sessions.placements.after)
  for (const [profileId, touch] of touches.byProfile) {
    touch.added.sort(batch.events.inOrder)
    const image = images.profile.get(profileId)
    touch.refold ??= reasonToRefold(batch, fold, image, touch.added)
    if (touch.refold === null) {
      plan.continued.set(profileId, touch)
      continue
    }
    plan.refolded.set(profileId, touch)
    for (const stream of image?.streams ?? []) touch.streams.add(stream)
    for (const stream of touch.streams) plan.streams.add(stream)
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
    changes: new Changes(),
    effects: { continued: [], was: [], is: [] },
    timers: { dueAt: [], profileId: [] },
  }
  continueProfiles(batch, plan.continued, placements, derived)
  if (plan.refolded.size > 0) refoldProfiles(batch, plan.refolded, placements, derived)
  return derived
}

class Touches {
  readonly byProfile = new Map<string, Touch>()

  of(profileId: string): Touch {
    let touch = this.byProfile.get(profileId)
    if (touch === undefined) {
      touch = { added: [], streams: new Set(), refold: null }
      this.byProfile.set(profileId, touch)
    }
    return touch
  }

  refold(profileId: string, stream: string, reason: SupersededBecause): void {
    const touch = this.of(profileId)
    touch.streams.add(stream)
    if (touch.refold !== 'identity') touch.refold = reason
  }
}

function touchesOf(
  batch: MicroBatch,
  {
    placements,
    continued,
    rederived,
  }: Pick<DerivedSessions, 'placements' | 'continued' | 'rederived'>,
): Touches {
  const { before, after } = placements
  const touches = new Touches()
  for (const stream of [...continued, ...rederived]) {
    let profileId: string | undefined
    let touch: Touch | undefined
    for (const row of batch.newRows.get(stream) ?? []) {
      if (!batch.isRelevant(row)) continue
      if (touch === undefined || after.profile[row] !== profileId) {
        profileId = after.profile[row] as string
        touch = touches.of(profileId)
        touch.streams.add(stream)
      }
      touch.added.push(row)
    }
  }
  // Events of a rederived stream may have another owner or session.
  for (const stream of rederived) {
    for (const row of batch.historyOf(stream)) {
      if (!batch.isRelevant(row)) continue
      const had = before.profile[row] as string
      const has = after.profile[row]
      if (had !== has) {
        touches.refold(had, stream, 'identity')
        if (has !== undefined) touches.refold(has, stream, 'identity')
      } else if (before.session[row] !== after.session[row]) {
        touches.refold(has, stream, 'late_event')
      }
    }
  }
  return touches
}

/** Returns why a profile that gains `added` cannot be continued; null if it can. */
function reasonToRefold(
  { events }: MicroBatch,
  fold: ProfileFold,
  image: ProfileImage | undefined,
  added: readonly number[],
): SupersededBecause | null {
  if (image === undefined) return null
  const [first] = added
  if (first !== undefined) {
    const decidedUpTo = Math.max(image.state.decidedUpTo, image.funnels.decidedUpTo)
    if ((events.occurredAt[first] as number) < decidedUpTo) return 'late_event'
    if (image.last !== null && !events.isAfter(first, image.last)) return 'late_event'
  }
  return fold.mustFoldAgain(image, image.last, added) ? 'progress' : null
}

function continueProfiles(
  batch: MicroBatch,
  touches: ReadonlyMap<string, Touch>,
  placements: Placements,
  { changes, effects, timers }: DerivedProfiles,
): void {
  const { compiled, events, images, watermark } = batch
  const fold = foldOf(batch, placements.after)
  for (const [profileId, { added, streams }] of touches) {
    const image = images.profile.get(profileId)
    const isDue = image !== undefined && image.due <= (watermark ?? -Infinity)
    if (added.length === 0 && !isDue) continue
    const { state, funnels }: FoldState = image ?? freshFoldState(compiled)
    fold.run(profileId, { state, funnels }, added, watermark)
    const last = added[added.length - 1]
    keep(batch, timers, {
      profileId,
      last: last === undefined ? (image?.last ?? null) : events.place(last),
      streams: withStreams(image?.streams ?? [], streams),
      due: foldDue(compiled, { state, funnels }),
      state,
      funnels,
    })
  }
  const folded = fold.rows()
  for (const rows of folded.rows) {
    changes.insert(rows)
    const { supersedes } = changes.of(rows.table)
    for (const key of folded.ended.get(rows.table) ?? []) {
      supersedes.keys.push(key)
      supersedes.because.push('progress')
    }
  }
  effects.continued = folded.effects
}

function withStreams(known: string[], streams: ReadonlySet<string>): string[] {
  return [...new Set([...known, ...streams])]
}

function refoldProfiles(
  batch: MicroBatch,
  touches: ReadonlyMap<string, Touch>,
  placements: Placements,
  { changes, effects, timers }: DerivedProfiles,
): void {
  const { compiled, events, watermarkBefore, watermark } = batch
  const { before, after } = placements
  const was = foldOf(batch, before)
  const is = foldOf(batch, after)
  for (const [profileId, { streams }] of touches) {
    const rows = [...streams].flatMap((stream) => batch.rowsOf(stream))
    rows.sort(events.inOrder)
    const own = (owners: readonly (string | undefined)[]) =>
      rows.filter((row) => owners[row] === profileId && batch.isRelevant(row))
    was.run(profileId, freshFoldState(compiled), own(before.profile), watermarkBefore)
    const has = own(after.profile)
    const foldState = freshFoldState(compiled)
    is.run(profileId, foldState, has, watermark)
    const last = has[has.length - 1]
    keep(batch, timers, {
      profileId,
      last: last === undefined ? null : events.place(last),
      streams: [...new Set(has.map((row) => events.stream[row] as string))],
      due: foldDue(compiled, foldState),
      ...foldState,
    })
  }
  const had = was.rows()
  const has = is.rows()
  has.rows.forEach((rows, i) =>
    diff(had.rows[i] as Rows, rows, changes.of(rows.table), reasonFrom(touches)),
  )
  effects.was = had.effects
  effects.is = has.effects
}

function foldOf({ compiled, events, codes }: MicroBatch, { session }: Ownership): ProfileFold {
  return new ProfileFold(compiled, { events, codes, sessionOf: session })
}

function keep({ images }: MicroBatch, timers: Timers, image: ProfileImage): void {
  const before = images.profile.get(image.profileId)?.due
  images.profile.put(image.profileId, image)
  if (image.due === Infinity || image.due === before) return
  timers.dueAt.push(image.due)
  timers.profileId.push(image.profileId)
}

/** Returns the reason `progress` for a stay that only ended, otherwise the reason of the profile. */
function reasonFrom(touches: ReadonlyMap<string, Touch>): Reason {
  return (before, row, after, newRow) => {
    const isEnding =
      before.table === 'state' && newRow >= 0 && before.column('exited_at')[row] === null
    if (isEnding && hasOnlyEnded(before, row, after, newRow)) return 'progress'
    const profileId = before.column('profile_id')[row] as string
    return touches.get(profileId)?.refold ?? 'late_event'
  }
}

function hasOnlyEnded(before: Rows, row: number, after: Rows, newRow: number): boolean {
  return ['visit', 'entered_at', 'state'].every(
    (name) => before.column(name)[row] === after.column(name)[newRow],
  )
}
