/**
 * Texts of an explanation, for the terminal and the page. Instants are printed in UTC, to the second.
 */

import { formatInstant } from '../../pipeline/base/clock.ts'
import type { Json } from '../../pipeline/base/json.ts'
import { counted } from '../../pipeline/base/text.ts'
import type { Outcome } from '../../pipeline/query/explain-outcome.ts'
import type { Correction } from '../../pipeline/query/explain-corrections.ts'
import type { KnownIdentifier } from '../../pipeline/query/explain-identifiers.ts'
import type { Pending, Session } from '../../pipeline/query/explain.ts'
import type { Tried } from '../../pipeline/stages/trace-fold.ts'

export const timeOf = (instant: number) => formatInstant(instant).slice(0, 19).replace('T', ' ')

/** Returns the journey, with the track if it has several. */
export const placeOf = ({ journey, track }: { journey: string; track: string }) =>
  track === '' || track === 'main' ? journey : `${journey}.${track}`

export function outcomeWords(outcome: Omit<Outcome, 'at' | 'instanceId'>): string {
  const { kind, from, to, tried } = outcome
  const where = placeOf(outcome)
  const why = tried
    .map(triedWords)
    .filter((words) => words !== '')
    .join('; ')
  const because = why === '' ? '' : `  (${why})`
  if (kind === 'started') return `${where}: started in ${to}`
  if (kind === 'moved') return `${where}: ${from} → ${to}${because}`
  if (kind === 'ignored') return `${where}: ignored${because}`
  if (kind === 'refused') {
    return `${where}: refused in ${from}${because || '  (not accepted there)'}`
  }
  if (kind === 'timeout') return `${where}: ${from} → ${to} by timeout${because}`
  return `${where}: a timeout was due and not taken${because}`
}

/** Returns a tried target and its conditions as text: `to paid: value at least 10 not met, it was 5`;
 * an empty text for a target without a guard. */
function triedWords({ target, parts }: Tried): string {
  const words = parts.map(({ condition, held, seen }) => {
    const saw = seen === undefined ? '' : `, it was ${seenWords(condition, seen)}`
    return `${condition} ${held ? 'met' : 'not met'}${saw}`
  })
  return words.length === 0 ? '' : `to ${target}: ${words.join(', ')}`
}

/** Returns the value that a condition read; the time of a stay in its units. */
function seenWords(condition: string, seen: Json): string {
  const isStay = condition.startsWith('stayed ') && typeof seen === 'string'
  const [, ms] = isStay ? (/^(\d+(?:\.\d+)?) ms$/.exec(seen) ?? []) : []
  return ms === undefined ? JSON.stringify(seen) : timeSpent(Number(ms))
}

const UNITS: [name: string, ms: number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
]

/** Returns a time in a state as text: `2 h 5 m 9 s`, never rounded up to a limit that it missed. */
function timeSpent(ms: number): string {
  if (ms < 1_000) return `${ms} ms`
  let rest = Math.floor(ms)
  const parts = UNITS.flatMap(([name, unit]) => {
    const whole = Math.floor(rest / unit)
    rest -= whole * unit
    return whole === 0 ? [] : [`${whole} ${name}`]
  })
  return parts.join(' ')
}

export const sessionWords = ({ sessionNo, stream, source, eventCount, startedBecause }: Session) =>
  `session ${sessionNo} on ${stream} (${source}), ${counted(eventCount, 'event')}, ` +
  `started because: ${startedBecause}`

export const pendingWords = (pending: Pick<Pending, 'journey' | 'track' | 'state'>) =>
  `${placeOf(pending)}: timeout of ${pending.state}`

export function identifierWords({ identifier, eventCount, linkedBy }: KnownIdentifier): string {
  const link =
    linkedBy === null
      ? 'linked by no event of its own'
      : `linked to ${linkedBy.with} ${timeOf(linkedBy.occurredAt)} by ${linkedBy.eventId} ` +
        `(${linkedBy.name})`
  return `${identifier}, ${counted(eventCount, 'event')}; ${link}`
}

/** Returns the reason of a correction, its batch, and the events of the profile in that batch. */
export function causeWords(correction: Omit<Correction, 'at' | 'takenBack'>): string {
  const { batch, origin, because, events } = correction
  const cause = events
    .slice(0, 3)
    .map(({ eventId, name, occurredAt }) => `${eventId} (${name}, ${timeOf(occurredAt)})`)
  return (
    `${because}, batch ${batch} of ${origin}` +
    (cause.length === 0 ? '' : `, with ${cause.join(', ')}${events.length > 3 ? ' …' : ''}`)
  )
}
