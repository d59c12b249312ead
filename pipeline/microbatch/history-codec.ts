/**
 * Codec of history segments: the events that one batch adds to one stream, as one text.
 *
 * Events of a stream repeat each other, so the text is columnar. Names, sources and identifiers are
 * dictionary-encoded; instants are stored as differences.
 */

import { unversioned, versioned } from './encoding-version.ts'
import type { Events } from '../stages/events.ts'
import type { Json } from '../base/json.ts'

const ENCODING = 1

/** Dictionary codes count from 1; 0 means absent. A column without any value is null. */
type Segment = [
  texts: string[],
  /** Microseconds: the first since the epoch, the others since the previous one. */
  passed: number[],
  ordinals: number[],
  eventIds: string[],
  names: number[],
  sources: number[],
  /** By namespace. */
  identifiers: (number[] | null)[],
  /** By operand path; in a column, null is absent. */
  operands: (Json[] | null)[],
]

/** Returns the segment of rows, which must be in event order. */
export function segmentText(events: Events, rows: readonly number[]): string {
  const texts: string[] = []
  const numbers = new Map<string, number>()
  const numberOf = (text: string | undefined): number => {
    if (text === undefined) return 0
    let number = numbers.get(text)
    if (number === undefined) {
      number = texts.push(text)
      numbers.set(text, number)
    }
    return number
  }
  const pick = <Value>(column: readonly Value[]) => rows.map((row) => column[row] as Value)
  const instants = pick(events.occurredAt)
  const stored: Segment = [
    texts,
    instants.map((instant, i) => instant - (instants[i - 1] ?? 0)),
    pick(events.ordinal),
    pick(events.eventId),
    pick(events.name).map(numberOf),
    pick(events.source).map(numberOf),
    events.identifiers.map((column) => {
      const named = pick(column).map(numberOf)
      return named.some((number) => number > 0) ? named : null
    }),
    events.operands.map((column) => {
      const values = pick(column).map((value) => value ?? null)
      return values.some((value) => value !== null) ? values : null
    }),
  ]
  return versioned(ENCODING, JSON.stringify(stored))
}

/** Adds the events of a segment to the working set and returns their rows. Throws a `UserError` for
 * a segment of another encoding. */
export function addSegment(events: Events, stream: string, text: string): number[] {
  const [texts, passed, ordinals, eventIds, names, sources, identifiers, operands] = JSON.parse(
    unversioned('history', ENCODING, text),
  ) as Segment
  let instant = 0
  return eventIds.map((eventId, i) => {
    const row = events.count
    instant += passed[i] as number
    events.occurredAt.push(instant)
    events.ordinal.push(ordinals[i] as number)
    events.eventId.push(eventId)
    events.name.push(texts[(names[i] as number) - 1] as string)
    events.source.push(texts[(sources[i] as number) - 1] as string)
    events.stream.push(stream)
    events.identifiers.forEach((column, n) => column.push(texts[(identifiers[n]?.[i] ?? 0) - 1]))
    events.operands.forEach((column, o) => column.push(operands[o]?.[i] ?? undefined))
    return row
  })
}
