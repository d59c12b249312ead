/**
 * Sessions of the streams a batch touches, and the profiles that own them.
 *
 * A stream is *continued* from its image when its new events all come after what it has seen and
 * its earlier events keep their profiles; its history is not read. Any other stream is
 * *rederived*: it is placed from its first event as it was and as it will be (`Placements`), and
 * the difference is the change.
 */

import { NO_TEXT } from '../base/texts.ts'
import { Changes, diff } from './rows/changelog.ts'
import { OwnerReason, SessionReason } from './rows/superseding-reasons.ts'
import { Rows } from './rows/rows.ts'
import {
  addEventRow,
  addMovedRows,
  addSessionRow,
  addSessionRows,
  sharedSessions,
} from './rows/session-rows.ts'
import { IdentifierLedger } from './rows/identifier-rows.ts'
import type { Moves } from './link-identities.ts'
import type { MicroBatch } from './micro-batch.ts'
import { Placements, type Ownership } from './place-streams.ts'
import { assignSessions, type Claim } from '../stages/resolve-identity.ts'
import { sessionize, type Cut, type Session } from '../stages/sessionize.ts'
import type { StreamImage } from './image-cache.ts'

/** Streams as codes of the batch's texts. */
export type DerivedSessions = {
  placements: Placements
  /** Streams that are continued with their new events. */
  continued: number[]
  /** Streams in which any event may have another owner or session. */
  rederived: number[]
  changes: Changes
}

/**
 * Derives the streams of the batch, those of identifiers that `moves` gives another profile, and
 * `always`. The images of the batch's streams and identifiers must be loaded.
 */
export async function deriveSessions(
  batch: MicroBatch,
  moves: Moves,
  always: Iterable<string>,
): Promise<DerivedSessions> {
  const { texts } = batch
  const placements = new Placements(batch, moves)
  const ledger = new IdentifierLedger(batch, moves, placements.after)
  const changes = new Changes(texts)
  const rederived = new Set(Array.from(always, (stream) => texts.code(stream)))
  for (const identifier of moves.keys()) {
    const image = batch.images.identifier.get(identifier)
    for (const stream of Object.keys(image?.sightings ?? {})) rederived.add(texts.code(stream))
  }
  const continued: number[] = []
  if (batch.newCount > 0) changes.of('event_profile').inserts.reserve(batch.newCount)
  for (const stream of batch.newStreams) {
    if (rederived.has(stream)) continue
    const plan = planContinuation(batch, placements, stream)
    if (plan === null) {
      rederived.add(stream)
      continue
    }
    applyContinuation(batch, plan, placements.after, ledger, changes)
    continued.push(stream)
  }
  await placements.place(rederived)
  rederive(batch, placements, ledger, rederived, changes)
  ledger.settle(changes)
  return { placements, continued, rederived: [...rederived], changes }
}

/** New events of a stream appended to its image. */
type Continuation = {
  stream: number
  rows: Int32Array
  cut: Cut
  /** Open session of the image that new events continue; null if none does. */
  resumed: Session | null
  /** Owners of the sessions that were open or are new, in order. */
  profiles: number[]
  image: StreamImage
}

/** Plans a continuation; null if the stream must be rederived. Continues the open session of the image
 * in place: the image is replaced in either case. */
function planContinuation(
  batch: MicroBatch,
  placements: Placements,
  stream: number,
): Continuation | null {
  const { events, texts, compiled } = batch
  const image = batch.images.stream.get(texts.at(stream))
  const rows = batch.newRowsOf(stream)
  if (image !== undefined && !events.isAfter(rows[0] as number, image.last)) return null
  const open = image?.open ?? null
  const cut = sessionize(events, rows, compiled.sessions, open)
  const isResumed = open !== null && cut.sessions[0] === open
  const touched = open === null || isResumed ? cut.sessions : [open, ...cut.sessions]
  const closed = closedNames(batch, image)
  const opened: number[] = []
  for (const { named } of touched) {
    opened.push(named === null ? NO_TEXT : placements.profileAfter(texts.code(named)))
  }
  const named = closed.length === 0 ? opened : closed.concat(opened)
  const { profiles: owners, claim } = assignSessions(named, stream, compiled.identity)
  const profiles = closed.length === 0 ? owners : owners.slice(closed.length)
  if (image !== undefined) {
    if (texts.at(profiles[0] as number) !== image.openProfile) return null
    if (image.hasUnnamed && claim !== image.claim) return null
  }
  const next = imageAfter(batch, placements, image, { rows, sessions: touched, profiles, claim })
  return { stream, rows, cut, resumed: isResumed ? open : null, profiles, image: next }
}

function applyContinuation(
  batch: MicroBatch,
  { stream, rows, cut, resumed, profiles, image }: Continuation,
  after: Ownership,
  ledger: IdentifierLedger,
  changes: Changes,
): void {
  const { events, texts } = batch
  // An open session without new events stays unchanged.
  const first = profiles.length - cut.sessions.length
  const resumedCode = resumed === null ? NO_TEXT : texts.add(resumed.sessionId)
  after.setAll(events, rows, cut, profiles, { first, resumed: resumedCode })
  const { inserts: eventRows } = changes.of('event_profile')
  for (let i = 0; i < rows.length; i++) {
    addEventRow(eventRows, batch, rows[i] as number, after)
    ledger.see(rows[i] as number)
  }
  const { inserts, supersedes } = changes.of('session')
  if (resumed !== null) supersedes.addText(resumed.sessionId, 'progress')
  for (let i = 0; i < cut.sessions.length; i++) {
    addSessionRow(inserts, cut.sessions[i] as Session, stream, profiles[first + i] as number)
  }
  batch.images.stream.put(texts.at(stream), image)
}

const NO_NAMES: number[] = []

/** Returns the profiles that closed sessions name, each once in order, with the latest repeated
 * last. */
function closedNames({ texts }: MicroBatch, image: StreamImage | undefined): number[] {
  if (image === undefined || image.names.length === 0) return NO_NAMES
  const names: number[] = []
  let last = NO_TEXT
  for (const [identifier, profile] of image.names) {
    const code = texts.code(profile)
    names.push(code)
    if (identifier === image.lastNamed) last = code
  }
  if (last !== NO_TEXT) names.push(last)
  return names
}

/** Returns the image after the given sessions; the last one stays open. */
function imageAfter(
  { events, texts }: MicroBatch,
  placements: Placements,
  image: StreamImage | undefined,
  added: {
    rows: Int32Array
    sessions: readonly Session[]
    profiles: readonly number[]
    claim: Claim
  },
): StreamImage {
  const { rows, sessions, profiles, claim } = added
  const open = sessions.length - 1
  const names = image?.names ?? []
  let known: Set<string> | null = null
  let lastNamed = image?.lastNamed ?? null
  let hasUnnamed = image?.hasUnnamed ?? false
  for (let i = 0; i < open; i++) {
    const { named } = sessions[i] as Session
    if (named === null) {
      hasUnnamed = true
      continue
    }
    // Most sessions name the person that the one before named.
    if (named === lastNamed) continue
    lastNamed = named
    known ??= identifiersOf(names)
    if (known.has(named)) continue
    known.add(named)
    names.push([named, texts.at(placements.profileAfter(texts.code(named)))])
  }
  return {
    last: events.place(rows[rows.length - 1] as number),
    open: sessions[open] as Session,
    openProfile: texts.at(profiles[open] as number),
    names,
    lastNamed,
    hasUnnamed,
    claim,
  }
}

function identifiersOf(names: StreamImage['names']): Set<string> {
  const identifiers = new Set<string>()
  for (const [identifier] of names) identifiers.add(identifier)
  return identifiers
}

/** Adds the changes of placed streams. */
function rederive(
  batch: MicroBatch,
  placements: Placements,
  ledger: IdentifierLedger,
  streams: Iterable<number>,
  changes: Changes,
): void {
  const before = placedRows(batch)
  const after = placedRows(batch)
  for (const stream of streams) {
    const { was, is } = placements.of(stream)
    const rows = batch.remainingOf(stream)
    const shared = sharedSessions(was, is)
    addSessionRows(before.sessions, was, shared, stream)
    addSessionRows(after.sessions, is, shared, stream)
    addMovedRows(before.events, batch, batch.historyOf(stream), placements, placements.before)
    addMovedRows(after.events, batch, rows, placements, placements.after)
    ledger.replace(stream, batch.rowsOf(stream), rows)
    if (rows.length === 0) continue
    const image = imageAfter(batch, placements, undefined, {
      rows,
      sessions: is.sessions,
      profiles: is.profiles,
      claim: is.claim,
    })
    batch.images.stream.put(batch.texts.at(stream), image)
  }
  const { sessions, events } = before
  diff(sessions, after.sessions, changes.of('session'), new SessionReason(sessions, after.sessions))
  diff(
    events,
    after.events,
    changes.of('event_profile'),
    new OwnerReason(events, after.events, 'late_event'),
  )
}

type PlacedRows = { sessions: Rows<'session'>; events: Rows<'event_profile'> }

function placedRows({ texts }: MicroBatch): PlacedRows {
  return { sessions: new Rows('session', texts), events: new Rows('event_profile', texts) }
}
