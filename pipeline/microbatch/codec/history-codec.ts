/**
 * Codec of history segments: the events that one batch adds to one stream, as one text.
 *
 * Events of a stream repeat each other, so the text is columnar. Names, sources and identifiers are
 * dictionary-encoded; instants are stored as differences, and runs of equal values once.
 */

import { unversioned, versioned } from './encoding-version.ts'
import type { Events } from '../../stages/events.ts'
import type { Ints } from '../../stages/growable-array.ts'
import { pack, unpack, type Packed } from '../runs.ts'
import type { Json } from '../../base/json.ts'

const ENCODING = 2

/** Dictionary codes count from 1; 0 means absent. A column without any value is null. */
type Segment = [
  texts: string[],
  /** Microseconds: the first since the epoch, the others since the previous one. */
  passed: number[],
  ordinals: Packed<number>,
  eventIds: string[],
  names: Packed<number>,
  sources: Packed<number>,
  /** By namespace. */
  identifiers: (Packed<number> | null)[],
  /** By operand path; in a column, null is absent. */
  operands: (Packed<Json> | null)[],
]

/** Returns the segment of rows, which must be in event order. */
export function segmentText(events: Events, rows: Int32Array): string {
  const texts: string[] = []
  const codeOf = new Map<number, number>()
  const codesOf = (column: Ints) =>
    pack(
      Array.from(rows, (row) => {
        const code = column.at(row)
        if (code < 0) return 0
        let known = codeOf.get(code)
        if (known === undefined) {
          known = texts.push(events.texts.at(code))
          codeOf.set(code, known)
        }
        return known
      }),
    )
  const isIn = (column: readonly unknown[]) => rows.some((row) => (column[row] ?? null) !== null)
  let before = 0
  const passed = Array.from(rows, (row) => {
    const instant = events.occurredAt.at(row)
    const since = instant - before
    before = instant
    return since
  })
  const stored: Segment = [
    texts,
    passed,
    pack(Array.from(rows, (row) => events.ordinal.at(row))),
    Array.from(rows, (row) => events.eventIdOf(row)),
    codesOf(events.name),
    codesOf(events.source),
    events.identifiers.map((column) =>
      rows.some((row) => column.at(row) >= 0) ? codesOf(column) : null,
    ),
    events.operands.map((column) =>
      isIn(column) ? pack(Array.from(rows, (row) => column[row] ?? null)) : null,
    ),
  ]
  return versioned(ENCODING, JSON.stringify(stored))
}

/** Adds the events of a segment to the working set. Throws a `UserError` for a segment of another
 * encoding. */
export function addSegment(events: Events, stream: number, text: string): void {
  const [values, passed, ordinals, eventIds, names, sources, identifiers, operands] = JSON.parse(
    unversioned('history', ENCODING, text),
  ) as Segment
  const { texts } = events
  const unpacked = <Value extends Json>(column: Packed<Value> | null | undefined) =>
    unpack(column ?? [])
  const columns = {
    ordinals: unpack(ordinals),
    names: unpack(names),
    sources: unpack(sources),
    identifiers: identifiers.map(unpacked),
    operands: operands.map(unpacked),
  }
  // Codes of the segment count from 1.
  const codes = [-1, ...values.map((value) => texts.code(value))]
  const codeOf = (code: number | undefined) => codes[code ?? 0] as number
  let instant = 0
  eventIds.forEach((eventId, i) => {
    instant += passed[i] as number
    const name = columns.names[i] as number
    events.occurredAt.push(instant)
    events.ordinal.push(columns.ordinals[i] as number)
    events.eventId.push(texts.add(eventId))
    events.name.push(codeOf(name))
    events.code.push(events.codeOf(values[name - 1] as string))
    events.source.push(codeOf(columns.sources[i]))
    events.stream.push(stream)
    events.identifiers.forEach((column, n) => column.push(codeOf(columns.identifiers[n]?.[i])))
    events.operands.forEach((column, o) => column.push(columns.operands[o]?.[i] ?? undefined))
  })
}
