/**
 * Sessions of the streams a batch touches, and the profiles that own them.
 *
 * A stream is *continued* from its image when its new events all come after what it has seen and
 * its earlier events keep their profiles; its history is not read. Any other stream is
 * *rederived*: it is placed from its first event as it was and as it will be (`Placements`), and
 * the difference is the change.
 */

import { Changes, diff, Rows } from './changelog.ts'
import { IdentifierLedger } from './identifier-rows.ts'
import type { Moves } from './link-identities.ts'
import type { MicroBatch } from './micro-batch.ts'
import { Placements, type Ownership, type Placement } from './place-streams.ts'
import { assignSessions, claimOf, type Claim } from '../stages/resolve-identity.ts'
import { sessionize, type Cut, type Session } from '../stages/sessionize.ts'
import type { StreamImage } from './image-cache.ts'
import type { SupersededBecause } from '../warehouse/warehouse.ts'

export type DerivedSessions = {
  placements: Placements
  /** Streams that are continued with their new events. */
  continued: string[]
  /** Streams in which any event may have another owner or session. */
  rederived: string[]
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
  const placements = new Placements(batch, moves)
  const ledger = new IdentifierLedger(batch, moves, placements.after)
  const changes = new Changes()
  const rederived = new Set(always)
  for (const identifier of moves.keys()) {
    const image = batch.images.identifier.get(identifier)
    for (const stream of Object.keys(image?.sightings ?? {})) rederived.add(stream)
  }
  const continued: string[] = []
  for (const stream of batch.newRows.keys()) {
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

/** New events of a stream appended to its image. `profiles[i]` owns `touched[i]`. */
type Continuation = {
  stream: string
  rows: readonly number[]
  cut: Cut
  /** Open session of the image that new events continue; null if none does. */
  resumed: Session | null
  /** Sessions that were open or are new, in order. */
  touched: Session[]
  profiles: string[]
  image: StreamImage
}

/** Plans a continuation without changing anything; null if the stream must be rederived. */
function planContinuation(
  batch: MicroBatch,
  placements: Placements,
  stream: string,
): Continuation | null {
  const image = batch.images.stream.get(stream)
  const rows = batch.newRows.get(stream) as number[]
  if (image !== undefined && !batch.events.isAfter(rows[0] as number, image.last)) return null
  const open = image === undefined ? null : copyOf(image.open)
  const cut = sessionize(batch.events, rows, batch.compiled.sessions, open)
  const isResumed = open !== null && cut.sessions[0] === open
  const touched = open === null || isResumed ? cut.sessions : [open, ...cut.sessions]
  const closed = closedNames(image)
  const named = touched.map(({ named }) => (named === null ? null : placements.profileAfter(named)))
  const { identity } = batch.compiled
  const profiles = assignSessions([...closed, ...named], stream, identity).slice(closed.length)
  const claim = claimOf([...closed, ...named.filter((name) => name !== null)], identity)
  if (image !== undefined) {
    if (profiles[0] !== image.openProfile) return null
    if (image.hasUnnamed && claim !== image.claim) return null
  }
  const next = imageAfter(batch, placements, image, { rows, sessions: touched, profiles, claim })
  return { stream, rows, cut, resumed: isResumed ? open : null, touched, profiles, image: next }
}

function applyContinuation(
  batch: MicroBatch,
  { stream, rows, cut, resumed, touched, profiles, image }: Continuation,
  after: Ownership,
  ledger: IdentifierLedger,
  changes: Changes,
): void {
  after.setAll(rows, cut, touched, profiles)
  const { inserts: eventRows } = changes.of('event_profile')
  for (const row of rows) {
    addEventRow(eventRows, batch, row, after)
    ledger.see(row)
  }
  const { inserts, supersedes } = changes.of('session')
  if (resumed !== null) {
    supersedes.keys.push(resumed.sessionId)
    supersedes.because.push('progress')
  }
  // An open session without new events stays unchanged.
  const first = touched.length - cut.sessions.length
  cut.sessions.forEach((session, i) =>
    addSessionRow(inserts, session, stream, profiles[first + i] as string),
  )
  batch.images.stream.put(stream, image)
}

/** Copies a session, because the image must stay unchanged if the stream is rederived. */
function copyOf(session: Session): Session {
  const { exclusive, split } = session.seen
  return { ...session, seen: { exclusive: [...exclusive], split: [...split] } }
}

/** Returns the profiles that closed sessions name, each once in order, with the latest repeated
 * last. */
function closedNames(image: StreamImage | undefined): string[] {
  if (image === undefined) return []
  const names = image.names.map(([, profile]) => profile)
  const last = image.names.find(([identifier]) => identifier === image.lastNamed)
  return last === undefined ? names : [...names, last[1]]
}

/** Returns the image after the given sessions; the last one stays open. */
function imageAfter(
  batch: MicroBatch,
  placements: Placements,
  image: StreamImage | undefined,
  added: {
    rows: readonly number[]
    sessions: readonly Session[]
    profiles: readonly string[]
    claim: Claim
  },
): StreamImage {
  const { rows, sessions, profiles, claim } = added
  const names = [...(image?.names ?? [])]
  let lastNamed = image?.lastNamed ?? null
  let hasUnnamed = image?.hasUnnamed ?? false
  for (const session of sessions.slice(0, -1)) {
    if (session.named === null) {
      hasUnnamed = true
      continue
    }
    lastNamed = session.named
    if (!names.some(([identifier]) => identifier === lastNamed)) {
      names.push([lastNamed, placements.profileAfter(lastNamed)])
    }
  }
  return {
    last: batch.events.place(rows[rows.length - 1] as number),
    open: sessions[sessions.length - 1] as Session,
    openProfile: profiles[profiles.length - 1] as string,
    names,
    lastNamed,
    hasUnnamed,
    claim,
  }
}

/** Adds the changes of placed streams. */
function rederive(
  batch: MicroBatch,
  placements: Placements,
  ledger: IdentifierLedger,
  streams: Iterable<string>,
  changes: Changes,
): void {
  const before = { sessions: new Rows('session'), events: new Rows('event_profile') }
  const after = { sessions: new Rows('session'), events: new Rows('event_profile') }
  for (const stream of streams) {
    const { was, is } = placements.of(stream)
    addRows(before, batch, stream, batch.historyOf(stream), was, placements.before)
    const rows = batch.remainingOf(stream)
    addRows(after, batch, stream, rows, is, placements.after)
    ledger.replace(stream, batch.rowsOf(stream), rows)
    if (rows.length === 0) continue
    const image = imageAfter(batch, placements, undefined, { rows, ...is })
    batch.images.stream.put(stream, image)
  }
  diff(before.sessions, after.sessions, changes.of('session'), sessionReason)
  diff(before.events, after.events, changes.of('event_profile'), eventReason)
}

function addRows(
  to: { sessions: Rows; events: Rows },
  batch: MicroBatch,
  stream: string,
  rows: readonly number[],
  placement: Placement,
  ownership: Ownership,
): void {
  placement.sessions.forEach((session, i) =>
    addSessionRow(to.sessions, session, stream, placement.profiles[i] as string),
  )
  for (const row of rows) addEventRow(to.events, batch, row, ownership)
}

function addEventRow(rows: Rows, batch: MicroBatch, row: number, owners: Ownership): void {
  const eventId = batch.events.eventId[row] as string
  rows.add(eventId, [eventId, owners.profile[row] as string, owners.session[row] as string])
}

function addSessionRow(rows: Rows, session: Session, stream: string, profileId: string): void {
  rows.add(session.sessionId, [
    session.sessionId,
    stream,
    profileId,
    session.startedAt,
    session.endedAt,
    session.count,
    session.firstEvent,
    session.lastEvent,
    session.source,
    session.because,
    session.startOrdinal,
  ])
}

function eventReason(before: Rows, row: number, after: Rows, newRow: number): SupersededBecause {
  const owner = before.column('profile_id')[row]
  return owner === after.column('profile_id')[newRow] ? 'late_event' : 'identity'
}

/** Returns the reason for a changed session: `progress` if it only grew at its end. */
function sessionReason(before: Rows, row: number, after: Rows, newRow: number): SupersededBecause {
  if (newRow < 0) return 'late_event'
  const isSame = (name: string) => before.column(name)[row] === after.column(name)[newRow]
  if (!isSame('profile_id')) return 'identity'
  const grew =
    (before.column('ended_at')[row] as number) < (after.column('ended_at')[newRow] as number)
  return grew && isSame('started_because') ? 'progress' : 'late_event'
}
