/** Rows of `sessions` and `event_profiles`, and which of a rederived stream need not be made. */

import type { Session } from '../../stages/sessionize.ts'
import type { MicroBatch } from '../micro-batch.ts'
import type { Ownership, Placement, Placements } from '../place-streams.ts'
import type { Rows } from './rows.ts'

/** Returns how many first sessions of a stream are the same before and after. Their rows need not be
 * made to be compared. */
export function sharedSessions(was: Placement, is: Placement): number {
  let count = 0
  while (count < was.sessions.length && count < is.sessions.length) {
    const isSame =
      was.profiles[count] === is.profiles[count] &&
      isSameSession(was.sessions[count] as Session, is.sessions[count] as Session)
    if (!isSame) break
    count += 1
  }
  return count
}

/** Returns whether two sessions of a stream have the same row, their profiles aside. */
function isSameSession(a: Session, b: Session): boolean {
  return (
    a.sessionId === b.sessionId &&
    a.startedAt === b.startedAt &&
    a.startOrdinal === b.startOrdinal &&
    a.endedAt === b.endedAt &&
    a.count === b.count &&
    a.firstEvent === b.firstEvent &&
    a.lastEvent === b.lastEvent &&
    a.source === b.source &&
    a.because === b.because
  )
}

/** Adds the rows of the sessions from `first` on. */
export function addSessionRows(
  to: Rows<'session'>,
  { sessions, profiles }: Placement,
  first: number,
  stream: number,
): void {
  for (let i = first; i < sessions.length; i++) {
    addSessionRow(to, sessions[i] as Session, stream, profiles[i] as number)
  }
}

/** Adds the rows of events that have another owner or session before than after. */
export function addMovedRows(
  to: Rows<'event_profile'>,
  batch: MicroBatch,
  rows: Int32Array,
  { before, after }: Placements,
  owners: Ownership,
): void {
  for (const row of rows) {
    const isSame =
      before.profileOf(row) === after.profileOf(row) &&
      before.sessionOf(row) === after.sessionOf(row)
    if (!isSame) addEventRow(to, batch, row, owners)
  }
}

/** Adds the row of an event with its owner. */
export function addEventRow(
  { keys, columns }: Rows<'event_profile'>,
  { events }: MicroBatch,
  row: number,
  owners: Ownership,
): void {
  keys.push(events.eventIdOf(row))
  columns.event_id.push(events.eventId.at(row))
  columns.profile_id.push(owners.profile.at(row))
  columns.session_id.push(owners.session.at(row))
}

/** Adds the row of a session. `stream` and `profile` are codes. */
export function addSessionRow(
  { keys, columns: c, texts }: Rows<'session'>,
  session: Session,
  stream: number,
  profile: number,
): void {
  keys.push(session.sessionId)
  c.session_id.push(texts.add(session.sessionId))
  c.stream.push(stream)
  c.profile_id.push(profile)
  c.started_at.push(session.startedAt)
  c.ended_at.push(session.endedAt)
  c.event_count.push(session.count)
  c.first_event.push(texts.code(session.firstEvent))
  c.last_event.push(texts.code(session.lastEvent))
  c.source.push(texts.code(session.source))
  c.started_because.push(texts.code(session.because))
  c.start_ordinal.push(session.startOrdinal)
}
