/**
 * The batch's events, stream by stream: sessions, and whose they are.
 *
 * A stream whose new events all come after what it has seen, and whose earlier events keep their
 * profiles, is *continued* from its image and its history is not read. Any other is *derived
 * again*: its sessions are cut and assigned twice, as they were and as they will be, and the
 * difference is the change. Nothing stored is read for the first of these but its events: the
 * tables are a function of them.
 */

import type { Identities } from './identifier-rows.ts'
import type { StreamImage } from './state-store.ts'
import { assignSessions, claimOf, type Claim } from '../stages/resolve-identity.ts'
import { diff, Rows } from './changelog.ts'
import { sessionize, type Cut, type Session } from '../stages/sessionize.ts'
import type { SupersededBecause } from '../warehouse/warehouse.ts'
import type { Belonging, Placed, Turn } from './micro-batch.ts'

/** Every identifier that rows carry. */
function* identifiersOf(turn: Turn, rows: readonly number[]): Generator<string> {
  for (const column of turn.events.identifiers) {
    for (const row of rows) {
      const identifier = column[row]
      if (identifier !== undefined) yield identifier
    }
  }
}

/** The profile of a person identifier now; its image must be loaded. */
function profileAfter(turn: Turn, identifier: string): string {
  return turn.images.identifier.get(identifier)?.profile ?? identifier
}

function profileBefore(turn: Turn, identifier: string): string {
  return turn.moved.get(identifier)?.before ?? profileAfter(turn, identifier)
}

/**
 * Continues a stream over the batch's rows and writes down what that changes; false, with nothing
 * done, when it must be derived again. The images of its identifiers must be loaded.
 */
export function continueStream(turn: Turn, identities: Identities, stream: string): boolean {
  const image = turn.images.stream.get(stream)
  const rows = turn.newRows.get(stream) as number[]
  if (image !== undefined && !turn.events.isAfter(rows[0] as number, image.last)) return false
  const open = image === undefined ? null : copyOf(image.open)
  const cut = sessionize(turn.events, rows, turn.compiled.sessions, open)
  const isContinued = open !== null && cut.sessions[0] === open
  const touched = open === null || isContinued ? cut.sessions : [open, ...cut.sessions]
  const closed = closedNames(image)
  const named = touched.map(({ named }) => (named === null ? null : profileAfter(turn, named)))
  const { identity } = turn.compiled
  const profiles = assignSessions([...closed, ...named], stream, identity).slice(closed.length)
  const claim = claimOf([...closed, ...named.filter((name) => name !== null)], identity)
  if (image !== undefined) {
    if (profiles[0] !== image.openProfile) return false
    if (image.hasUnnamed && claim !== image.claim) return false
  }
  const profileOf = new Map(touched.map((session, i) => [session, profiles[i] as string]))
  belong(turn.after, rows, cut, profileOf)
  const eventRows = turn.change('event_profile').inserts
  for (const row of rows) {
    addEventRow(eventRows, turn, row, turn.after)
    identities.see(row)
  }
  const sessionChange = turn.change('session')
  if (isContinued) {
    sessionChange.supersedes.keys.push(open.sessionId)
    sessionChange.supersedes.because.push('progress')
  }
  for (const session of cut.sessions) {
    addSessionRow(sessionChange.inserts, session, stream, profileOf.get(session) as string)
  }
  turn.images.stream.put(stream, imageOf(turn, rows, image, touched, profiles, claim))
  return true
}

/** A copy that can be continued: the image must stay as it is if the stream is derived again. */
function copyOf(session: Session): Session {
  const { exclusive, split } = session.seen
  return { ...session, seen: { exclusive: [...exclusive], split: [...split] } }
}

/** Profiles that closed sessions name: each once in order, the latest once more at the end. */
function closedNames(image: StreamImage | undefined): string[] {
  if (image === undefined) return []
  const names = image.names.map(([, profile]) => profile)
  const last = image.names.find(([identifier]) => identifier === image.lastNamed)
  return last === undefined ? names : [...names, last[1]]
}

/** The image after `touched` (the last stays open), which follow on `image`. */
function imageOf(
  turn: Turn,
  rows: readonly number[],
  image: StreamImage | undefined,
  touched: readonly Session[],
  profiles: readonly string[],
  claim: Claim,
): StreamImage {
  const names = [...(image?.names ?? [])]
  let lastNamed = image?.lastNamed ?? null
  let hasUnnamed = image?.hasUnnamed ?? false
  for (const session of touched.slice(0, -1)) {
    if (session.named === null) {
      hasUnnamed = true
      continue
    }
    lastNamed = session.named
    if (!names.some(([identifier]) => identifier === lastNamed)) {
      names.push([lastNamed, profileAfter(turn, lastNamed)])
    }
  }
  return {
    last: turn.events.place(rows[rows.length - 1] as number),
    open: touched[touched.length - 1] as Session,
    openProfile: profiles[profiles.length - 1] as string,
    names,
    lastNamed,
    hasUnnamed,
    claim,
  }
}

/**
 * Finds whose every event of the streams was and will be: fills `turn.before` and `turn.after`.
 * Reads their history and the images of their identifiers; a stream placed before is not again.
 */
export async function placeStreams(turn: Turn, streams: Iterable<string>): Promise<void> {
  const missing = [...streams].filter((stream) => !turn.placed.has(stream))
  await turn.loadHistory(missing)
  await turn.images.identifier.load(
    missing.flatMap((stream) => [...identifiersOf(turn, turn.oldRows.get(stream) ?? [])]),
  )
  for (const stream of missing) {
    turn.placed.set(stream, {
      was: place(turn, stream, turn.oldRows.get(stream) ?? [], turn.before, profileBefore),
      is: place(turn, stream, turn.remainingOf(stream), turn.after, profileAfter),
    })
  }
}

/** Cuts and assigns rows of one stream from the beginning. */
function place(
  turn: Turn,
  stream: string,
  rows: readonly number[],
  belonging: Belonging,
  profileOf: (turn: Turn, identifier: string) => string,
): Placed {
  const cut = sessionize(turn.events, rows, turn.compiled.sessions, null)
  const named = cut.sessions.map(({ named }) => (named === null ? null : profileOf(turn, named)))
  const profiles = assignSessions(named, stream, turn.compiled.identity)
  const owners = new Map(cut.sessions.map((session, i) => [session, profiles[i] as string]))
  belong(belonging, rows, cut, owners)
  const claim = claimOf(
    named.filter((name) => name !== null),
    turn.compiled.identity,
  )
  return { sessions: cut.sessions, profiles, claim }
}

function belong(
  belonging: Belonging,
  rows: readonly number[],
  cut: Cut,
  profileOf: Map<Session, string>,
): void {
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number
    const session = cut.of[i] as Session
    belonging.session[row] = session.sessionId
    belonging.profile[row] = profileOf.get(session) as string
  }
}

/** Writes down what deriving streams again changes. They must have been placed. */
export function rederiveStreams(
  turn: Turn,
  identities: Identities,
  streams: Iterable<string>,
): void {
  const before = { sessions: new Rows('session'), events: new Rows('event_profile') }
  const after = { sessions: new Rows('session'), events: new Rows('event_profile') }
  for (const stream of streams) {
    const { was, is } = turn.placed.get(stream) as { was: Placed; is: Placed }
    addRows(before, turn, stream, turn.oldRows.get(stream) ?? [], was, turn.before)
    const rows = turn.remainingOf(stream)
    addRows(after, turn, stream, rows, is, turn.after)
    identities.replace(stream, turn.rowsOf(stream), rows)
    if (rows.length === 0) continue
    const image = imageOf(turn, rows, undefined, is.sessions, is.profiles, is.claim)
    turn.images.stream.put(stream, image)
  }
  diff(before.sessions, after.sessions, turn.change('session'), sessionReason)
  diff(before.events, after.events, turn.change('event_profile'), eventReason)
}

function addRows(
  to: { sessions: Rows; events: Rows },
  turn: Turn,
  stream: string,
  rows: readonly number[],
  placed: Placed,
  belonging: Belonging,
): void {
  placed.sessions.forEach((session, i) =>
    addSessionRow(to.sessions, session, stream, placed.profiles[i] as string),
  )
  for (const row of rows) addEventRow(to.events, turn, row, belonging)
}

function addEventRow(rows: Rows, turn: Turn, row: number, belonging: Belonging): void {
  const eventId = turn.events.eventId[row] as string
  rows.add(eventId, [eventId, belonging.profile[row] as string, belonging.session[row] as string])
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

/** A session that only grew at its end has made progress. */
function sessionReason(before: Rows, row: number, after: Rows, newRow: number): SupersededBecause {
  if (newRow < 0) return 'late_event'
  const isSame = (name: string) => before.column(name)[row] === after.column(name)[newRow]
  if (!isSame('profile_id')) return 'identity'
  const grew =
    (before.column('ended_at')[row] as number) < (after.column('ended_at')[newRow] as number)
  return grew && isSame('started_because') ? 'progress' : 'late_event'
}
