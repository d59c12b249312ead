/**
 * Codec of history segments: the events that one batch adds to one stream, as one text.
 *
 * Events of a stream repeat each other, so the text is columnar. Names, sources and identifiers are
 * dictionary-encoded; instants are stored as differences, and runs of equal values once. Segments
 * are written from columns to bytes, in the order of `Segment`, without values in between.
 */

import type { TextColumn } from '../../base/columns.ts'
import type { Json } from '../../base/json.ts'
import { NO_TEXT } from '../../base/texts.ts'
import type { Events } from '../../stages/events.ts'
import { Ints } from '../../stages/growable-array.ts'
import { unversioned } from './encoding-version.ts'
import { JsonWriter } from './json-writer.ts'

const ENCODING = 2

/** A column as its values, or as lengths and values of its runs. */
type Packed<Value> = Value[] | { n: number[]; v: Value[] }

/** Runs are written if there are at most this share of as many as values. */
const RUNS_MAX = 0.4

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

/** Writes the segments of one working set. */
export class SegmentWriter {
  readonly #events: Events
  readonly #out = new JsonWriter()
  /** By code of a text: the last segment that has it, and its code there. */
  readonly #segmentOf = new Ints()
  readonly #codeOf = new Ints()
  /** Codes of the texts of the segment. */
  readonly #texts = new Ints()
  #segment = 0
  /** Values of the column that is written; only the first `#count`, because an array that is emptied
   * gives up its memory. */
  readonly #values: Json[] = []
  #count = 0

  constructor(events: Events) {
    this.#events = events
    this.#segmentOf.reserve(events.texts.size)
    this.#codeOf.reserve(events.texts.size)
  }

  /** Adds the segment of rows, which must be in event order. */
  add(rows: Int32Array): void {
    const { occurredAt, ordinal, eventId, name, source, identifiers, operands } = this.#events
    const { texts } = this.#events
    const out = this.#out
    this.#segment += 1
    this.#texts.length = 0
    this.#number(name, rows)
    this.#number(source, rows)
    for (const column of identifiers) this.#number(column, rows)
    out.prefix(ENCODING)
    out.openArray()
    out.openArray()
    for (let i = 0; i < this.#texts.length; i++) out.string(texts.at(this.#texts.at(i)))
    out.closeArray()
    out.openArray()
    let before = 0
    for (let i = 0; i < rows.length; i++) {
      const instant = occurredAt.at(rows[i] as number)
      out.number(instant - before)
      before = instant
    }
    out.closeArray()
    for (let i = 0; i < rows.length; i++) this.#add(ordinal.at(rows[i] as number))
    this.#pack()
    out.openArray()
    for (let i = 0; i < rows.length; i++) out.string(texts.at(eventId.at(rows[i] as number)))
    out.closeArray()
    this.#addCodes(name, rows)
    this.#pack()
    this.#addCodes(source, rows)
    this.#pack()
    out.openArray()
    for (let n = 0; n < identifiers.length; n++) {
      this.#addCodes(identifiers[n] as Ints, rows)
      this.#packAny(0)
    }
    out.closeArray()
    out.openArray()
    for (let o = 0; o < operands.length; o++) {
      const column = operands[o] as (Json | undefined)[]
      for (let i = 0; i < rows.length; i++) this.#add(column[rows[i] as number] ?? null)
      this.#packAny(null)
    }
    out.closeArray()
    out.closeArray()
    out.end()
  }

  /** Returns the segments that were added. The writer must not be used afterwards. */
  column(): TextColumn {
    return this.#out.column()
  }

  /** Numbers the texts of a column that the segment has not numbered. */
  #number(column: Ints, rows: Int32Array): void {
    for (let i = 0; i < rows.length; i++) {
      const code = column.at(rows[i] as number)
      if (code === NO_TEXT) continue
      if (code < this.#segmentOf.length && this.#segmentOf.at(code) === this.#segment) continue
      this.#segmentOf.set(code, this.#segment)
      this.#texts.push(code)
      this.#codeOf.set(code, this.#texts.length)
    }
  }

  #addCodes(column: Ints, rows: Int32Array): void {
    for (let i = 0; i < rows.length; i++) {
      const code = column.at(rows[i] as number)
      this.#add(code === NO_TEXT ? 0 : this.#codeOf.at(code))
    }
  }

  #add(value: Json): void {
    if (this.#count === this.#values.length) this.#values.push(value)
    else this.#values[this.#count] = value
    this.#count += 1
  }

  /** Writes the values, or null if all are absent. */
  #packAny(absent: Json): void {
    for (let i = 0; i < this.#count; i++) {
      if (this.#values[i] === absent) continue
      this.#pack()
      return
    }
    this.#out.null()
    this.#count = 0
  }

  #pack(): void {
    const values = this.#values
    const count = this.#count
    const out = this.#out
    let runs = 0
    for (let i = 0; i < count; i++) if (startsRun(values, i)) runs += 1
    if (runs > Math.floor(count * RUNS_MAX)) {
      out.openArray()
      for (let i = 0; i < count; i++) out.value(values[i] as Json)
      out.closeArray()
    } else {
      out.openObject()
      out.name('n')
      out.openArray()
      let from = 0
      for (let i = 1; i <= count; i++) {
        if (i < count && !startsRun(values, i)) continue
        out.number(i - from)
        from = i
      }
      out.closeArray()
      out.name('v')
      out.openArray()
      for (let i = 0; i < count; i++) if (startsRun(values, i)) out.value(values[i] as Json)
      out.closeArray()
      out.closeObject()
    }
    this.#count = 0
  }
}

/** Returns whether a value differs from the one before. Objects are runs of their own. */
function startsRun(values: readonly Json[], i: number): boolean {
  return i === 0 || values[i] !== values[i - 1]
}

/** Adds the events of a segment to the working set. Throws a `UserError` for a segment of another
 * encoding. */
export function addSegment(events: Events, stream: number, text: string): void {
  const [values, passed, ordinals, eventIds, names, sources, identifiers, operands] = JSON.parse(
    unversioned('history', ENCODING, text),
  ) as Segment
  const { texts } = events
  const count = eventIds.length
  let instant = 0
  for (let i = 0; i < count; i++) {
    instant += passed[i] as number
    events.occurredAt.push(instant)
    events.eventId.push(texts.add(eventIds[i] as string))
    events.stream.push(stream)
  }
  const codes: number[] = []
  const eventCodes: number[] = []
  for (let i = 0; i < values.length; i++) codes.push(texts.code(values[i] as string))
  for (const ordinal of unpacked(ordinals)) events.ordinal.push(ordinal)
  for (const code of unpacked(names)) {
    events.name.push(codes[code - 1] as number)
    eventCodes[code - 1] ??= events.codeOf(values[code - 1] as string)
    events.code.push(eventCodes[code - 1] as number)
  }
  pushCodes(events.source, sources, count, codes)
  for (let n = 0; n < events.identifiers.length; n++) {
    pushCodes(events.identifiers[n] as Ints, identifiers[n] ?? null, count, codes)
  }
  for (let o = 0; o < events.operands.length; o++) {
    const column = events.operands[o] as (Json | undefined)[]
    const stored = operands[o] ?? null
    if (stored !== null) for (const value of unpacked(stored)) column.push(value ?? undefined)
    else for (let i = 0; i < count; i++) column.push(undefined)
  }
}

/** Adds `count` texts by their codes in a segment. */
function pushCodes(
  column: Ints,
  stored: Packed<number> | null,
  count: number,
  codes: readonly number[],
): void {
  if (stored === null) for (let i = 0; i < count; i++) column.push(NO_TEXT)
  else {
    for (const code of unpacked(stored)) {
      column.push(code === 0 ? NO_TEXT : (codes[code - 1] as number))
    }
  }
}

/** Returns the values of a packed column. */
function unpacked<Value>(packed: Packed<Value>): readonly Value[] {
  if (Array.isArray(packed)) return packed
  const values: Value[] = []
  for (let run = 0; run < packed.n.length; run++) {
    for (let i = packed.n[run] as number; i > 0; i--) values.push(packed.v[run] as Value)
  }
  return values
}
