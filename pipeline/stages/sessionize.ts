/**
 * Cuts the events of a stream into sessions. Keyed by stream, pure and synchronous.
 *
 * Streams are cut instead of people, so merging people never changes a session's id or bounds. A
 * stream can be cut at once or continued from its open session, with the same result.
 */

import type { SessionRules } from '../definition/compile.ts'
import type { Events } from './events.ts'
import { isEqual, type Json } from '../base/json.ts'

export type StartedBecause = 'first' | 'gap' | 'person' | 'split' | 'max_duration'

/** Session, closed or open. It is JSON and can be continued. */
export type Session = {
  sessionId: string
  startedAt: number
  startOrdinal: number
  endedAt: number
  count: number
  firstEvent: string
  lastEvent: string
  source: string
  because: StartedBecause
  /** Person identifier that names the session, and the number of its namespace; null for nobody. */
  named: string | null
  namedRank: number
  /** Last value of each exclusive namespace and each split operand; null before the first. */
  seen: { exclusive: (string | null)[]; split: Json[] }
}

/** `of[i]` is the session of `rows[i]`. `sessions` are all sessions that `rows` touched, in order. */
export type Cut = { sessions: Session[]; of: Session[] }

/**
 * Cuts `rows` (of one stream, in event order, after those in `open`) into sessions. Continues
 * `open` in place and includes it in the result if a row belongs to it.
 */
export function sessionize(
  events: Events,
  rows: readonly number[],
  rules: SessionRules,
  open: Session | null,
): Cut {
  const sessions: Session[] = []
  const of: Session[] = []
  let session = open
  for (const row of rows) {
    const because = session === null ? 'first' : startsAnew(events, row, rules, session)
    if (session === null || because !== null) {
      session = begin(events, row, rules, because ?? 'first')
      sessions.push(session)
    } else if (sessions.length === 0) {
      sessions.push(session)
    }
    extend(events, row, rules, session)
    of.push(session)
  }
  return { sessions, of }
}

/** Returns the first rule by which the row starts a session, or null if it continues the last one. */
function startsAnew(
  events: Events,
  row: number,
  rules: SessionRules,
  session: Session,
): StartedBecause | null {
  const occurredAt = events.occurredAt[row] as number
  if (occurredAt - session.endedAt > rules.gap) return 'gap'
  const { exclusive, split } = session.seen
  for (let i = 0; i < exclusive.length; i++) {
    const value = events.identifiers[rules.exclusive[i] as number]?.[row]
    if (value !== undefined && exclusive[i] !== null && value !== exclusive[i]) return 'person'
  }
  for (let i = 0; i < split.length; i++) {
    const value = events.operands[rules.splitOperands[i] as number]?.[row]
    const seen = split[i] as Json
    if (value !== undefined && seen !== null && !isEqual(value, seen)) return 'split'
  }
  return occurredAt - session.startedAt > rules.maxDuration ? 'max_duration' : null
}

function begin(events: Events, row: number, rules: SessionRules, because: StartedBecause): Session {
  const occurredAt = events.occurredAt[row] as number
  const name = events.name[row] as string
  return {
    sessionId: events.eventId[row] as string,
    startedAt: occurredAt,
    startOrdinal: events.ordinal[row] as number,
    endedAt: occurredAt,
    count: 0,
    firstEvent: name,
    lastEvent: name,
    source: events.source[row] as string,
    because,
    named: null,
    namedRank: rules.personCount,
    seen: {
      exclusive: rules.exclusive.map(() => null),
      split: rules.splitOperands.map(() => null),
    },
  }
}

function extend(events: Events, row: number, rules: SessionRules, session: Session): void {
  session.endedAt = events.occurredAt[row] as number
  session.lastEvent = events.name[row] as string
  session.count += 1
  const { exclusive, split } = session.seen
  for (let i = 0; i < exclusive.length; i++) {
    exclusive[i] = events.identifiers[rules.exclusive[i] as number]?.[row] ?? exclusive[i] ?? null
  }
  for (let i = 0; i < split.length; i++) {
    split[i] = events.operands[rules.splitOperands[i] as number]?.[row] ?? split[i] ?? null
  }
  for (let n = 0; n <= session.namedRank && n < rules.personCount; n++) {
    const person = events.identifiers[n]?.[row]
    if (person === undefined) continue
    session.named = person
    session.namedRank = n
    break
  }
}
