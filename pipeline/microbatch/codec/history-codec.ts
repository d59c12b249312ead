/**
 * Codec of history segments: the events that one batch adds to one stream, as one text.
 *
 * Events of a stream repeat each other, so the text is columnar. Names, sources and identifiers are
 * dictionary-encoded; instants are stored as differences, and runs of equal values once.
 */

import { unversioned, versioned } from './encoding-version.ts'
import type { Events } from '../../stages/events.ts'
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

/** More texts than this are found by a map: making one takes longer than comparing a few. */
const COMPARED_MAX = 16

/** Texts of a segment and their codes. */
class Texts {
  readonly all: string[] = []
  #codeOf: Map<string, number> | null = null

  codeOf(text: string | undefined): number {
    if (text === undefined) return 0
    const code = this.#codeOf === null ? this.all.indexOf(text) + 1 : (this.#codeOf.get(text) ?? 0)
    return code === 0 ? this.#add(text) : code
  }

  #add(text: string): number {
    const code = this.all.push(text)
    if (code > COMPARED_MAX) {
      this.#codeOf ??= new Map(this.all.map((known, i) => [known, i + 1]))
      this.#codeOf.set(text, code)
    }
    return code
  }
}

/** Returns the segment of rows, which must be in event order. */
export function segmentText(events: Events, rows: readonly number[]): string {
  const texts = new Texts()
  const codesOf = (column: readonly (string | undefined)[]) =>
    pack(rows.map((row) => texts.codeOf(column[row])))
  const isIn = (column: readonly unknown[]) => rows.some((row) => (column[row] ?? null) !== null)
  let before = 0
  const passed = rows.map((row) => {
    const instant = events.occurredAt[row] as number
    const since = instant - before
    before = instant
    return since
  })
  const stored: Segment = [
    texts.all,
    passed,
    pack(rows.map((row) => events.ordinal[row] as number)),
    rows.map((row) => events.eventId[row] as string),
    codesOf(events.name),
    codesOf(events.source),
    events.identifiers.map((column) => (isIn(column) ? codesOf(column) : null)),
    events.operands.map((column) =>
      isIn(column) ? pack(rows.map((row) => column[row] ?? null)) : null,
    ),
  ]
  return versioned(ENCODING, JSON.stringify(stored))
}

/** Adds the events of a segment to the working set and returns their rows. Throws a `UserError` for
 * a segment of another encoding. */
export function addSegment(events: Events, stream: string, text: string): number[] {
  const [texts, passed, ordinals, eventIds, names, sources, identifiers, operands] = JSON.parse(
    unversioned('history', ENCODING, text),
  ) as Segment
  const unpacked = <Value extends Json>(column: Packed<Value> | null | undefined) =>
    unpack(column ?? [])
  const columns = {
    ordinals: unpack(ordinals),
    names: unpack(names),
    sources: unpack(sources),
    identifiers: identifiers.map(unpacked),
    operands: operands.map(unpacked),
  }
  let instant = 0
  return eventIds.map((eventId, i) => {
    const row = events.count
    instant += passed[i] as number
    events.occurredAt.push(instant)
    events.ordinal.push(columns.ordinals[i] as number)
    events.eventId.push(eventId)
    events.name.push(texts[(columns.names[i] as number) - 1] as string)
    events.source.push(texts[(columns.sources[i] as number) - 1] as string)
    events.stream.push(stream)
    events.identifiers.forEach((column, n) =>
      column.push(texts[(columns.identifiers[n]?.[i] ?? 0) - 1]),
    )
    events.operands.forEach((column, o) => column.push(columns.operands[o]?.[i] ?? undefined))
    return row
  })
}
