/**
 * Cuts the events of a stream into sessions. Keyed by stream, pure and synchronous.
 *
 * Streams are cut instead of people, so merging people never changes a session's id or bounds. A
 * stream can be cut at once or continued from its open session, with the same result.
 */

import type { SessionRules } from '../definition/compile.ts'
import type { Events, RowList } from './events.ts'
import type { Ints } from './growable-array.ts'
import { mapped } from '../base/mapped.ts'
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

/** Sessions that rows touched, in order. The first row of `sessions[i]` is at `from[i]` of the rows. */
export type Cut = { sessions: Session[]; from: number[] }

/**
 * Cuts `rows` (of one stream, in event order, after those in `open`) into sessions. Continues
 * `open` in place and includes it in the result if a row belongs to it.
 */
export function sessionize(
  events: Events,
  rows: RowList,
  rules: SessionRules,
  open: Session | null,
): Cut {
  // Most streams have one session here, and a push into an empty list reserves room for more.
  let sessions: Session[] = []
  let from: number[] = []
  let session = open
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number
    const because = session === null ? 'first' : startsAnew(events, row, rules, session)
    if (session === null || because !== null) {
      session = begin(events, row, rules, because ?? 'first')
      if (i > 0) {
        sessions.push(session)
        from.push(i)
      }
    }
    if (i === 0) {
      sessions = [session]
      from = [0]
    }
    extend(events, row, rules, session)
  }
  return { sessions, from }
}

/** Returns the first rule by which the row starts a session, or null if it continues the last one. */
function startsAnew(
  events: Events,
  row: number,
  rules: SessionRules,
  session: Session,
): StartedBecause | null {
  const occurredAt = events.occurredAt.at(row)
  if (occurredAt - session.endedAt > rules.gap) return 'gap'
  const { exclusive, split } = session.seen
  for (let i = 0; i < exclusive.length; i++) {
    const seen = exclusive[i] as string | null
    const code = (events.identifiers[rules.exclusive[i] as number] as Ints).at(row)
    if (code >= 0 && seen !== null && events.texts.at(code) !== seen) return 'person'
  }
  for (let i = 0; i < split.length; i++) {
    const value = events.operands[rules.splitOperands[i] as number]?.[row]
    const seen = split[i] as Json
    if (value !== undefined && seen !== null && !isEqual(value, seen)) return 'split'
  }
  return occurredAt - session.startedAt > rules.maxDuration ? 'max_duration' : null
}

function begin(events: Events, row: number, rules: SessionRules, because: StartedBecause): Session {
  const occurredAt = events.occurredAt.at(row)
  const name = events.nameOf(row)
  return {
    sessionId: events.eventIdOf(row),
    startedAt: occurredAt,
    startOrdinal: events.ordinal.at(row),
    endedAt: occurredAt,
    count: 0,
    firstEvent: name,
    lastEvent: name,
    source: events.sourceOf(row),
    because,
    named: null,
    namedRank: rules.personCount,
    seen: {
      exclusive: mapped(rules.exclusive, () => null),
      split: mapped(rules.splitOperands, () => null),
    },
  }
}

function extend(events: Events, row: number, rules: SessionRules, session: Session): void {
  const { texts, identifiers } = events
  session.endedAt = events.occurredAt.at(row)
  session.lastEvent = events.nameOf(row)
  session.count += 1
  const { exclusive, split } = session.seen
  for (let i = 0; i < exclusive.length; i++) {
    const code = (identifiers[rules.exclusive[i] as number] as Ints).at(row)
    if (code >= 0) exclusive[i] = texts.at(code)
  }
  for (let i = 0; i < split.length; i++) {
    split[i] = events.operands[rules.splitOperands[i] as number]?.[row] ?? split[i] ?? null
  }
  for (let n = 0; n <= session.namedRank && n < rules.personCount; n++) {
    const code = (identifiers[n] as Ints).at(row)
    if (code < 0) continue
    session.named = texts.at(code)
    session.namedRank = n
    break
  }
}
