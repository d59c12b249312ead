/**
 * Events as columns: one growable array per column, rows by number. Texts are codes of one `Texts`.
 * Stages receive an `Events` and row numbers in event order, not row objects.
 *
 * It has only what deriving needs. Properties and context stay in the decoded batch; the values
 * that guards, keys and `splitOn` read are here as operands.
 */

import type { Texts } from '../base/texts.ts'
import { compareText, type Place } from '../base/event-order.ts'
import type { Json } from '../base/json.ts'
import { Doubles, Ints } from './growable-array.ts'

/** Row numbers. */
export type RowList = ArrayLike<number>

/** Event as texts. */
export type GivenEvent = {
  eventId: string
  name: string
  source: string
  /** Microseconds. */
  occurredAt: number
  ordinal: number
  stream?: string
  /** By namespace. */
  identifiers?: readonly (string | undefined)[]
  /** By operand path. */
  operands?: readonly (Json | undefined)[]
}

export class Events {
  readonly texts: Texts
  readonly occurredAt = new Doubles()
  readonly ordinal = new Doubles()
  readonly eventId = new Ints()
  readonly name = new Ints()
  readonly source = new Ints()
  readonly stream = new Ints()
  /** Number of the name in the definitions; -1 if no journey and no funnel names the event. */
  readonly code = new Ints()
  /** By namespace in declared order, then by row: `namespace:value`, or `NO_TEXT`. */
  readonly identifiers: Ints[]
  /** By operand path, then by row; undefined means absent. */
  readonly operands: (Json | undefined)[][]
  readonly #eventCodes: ReadonlyMap<string, number>

  constructor(parts: {
    texts: Texts
    eventCodes: ReadonlyMap<string, number>
    namespaces: number
    operands: number
  }) {
    this.texts = parts.texts
    this.#eventCodes = parts.eventCodes
    this.identifiers = Array.from({ length: parts.namespaces }, () => new Ints())
    this.operands = Array.from({ length: parts.operands }, () => [])
  }

  get count(): number {
    return this.eventId.length
  }

  /** Returns the number of an event name in the definitions, or -1. */
  codeOf(name: string): number {
    return this.#eventCodes.get(name) ?? -1
  }

  /** Makes room for so many more events. */
  reserve(count: number): void {
    this.occurredAt.reserve(count)
    this.ordinal.reserve(count)
    const columns = [this.eventId, this.name, this.source, this.stream, this.code]
    for (const column of [...columns, ...this.identifiers]) column.reserve(count)
  }

  /** Adds an event and returns its row. */
  add(event: GivenEvent): number {
    const { texts } = this
    const code = (text: string | undefined) => (text === undefined ? -1 : texts.code(text))
    this.occurredAt.push(event.occurredAt)
    this.ordinal.push(event.ordinal)
    this.eventId.push(texts.add(event.eventId))
    this.name.push(texts.code(event.name))
    this.source.push(texts.code(event.source))
    this.stream.push(code(event.stream))
    this.code.push(this.codeOf(event.name))
    this.identifiers.forEach((column, n) => column.push(code(event.identifiers?.[n])))
    this.operands.forEach((column, o) => column.push(event.operands?.[o]))
    return this.count - 1
  }

  eventIdOf(row: number): string {
    return this.texts.at(this.eventId.at(row))
  }

  nameOf(row: number): string {
    return this.texts.at(this.name.at(row))
  }

  sourceOf(row: number): string {
    return this.texts.at(this.source.at(row))
  }

  place(row: number): Place {
    return [this.occurredAt.at(row), this.ordinal.at(row), this.eventIdOf(row)]
  }

  /** Compares row numbers in event order. */
  inOrder(a: number, b: number): number {
    return (
      this.occurredAt.at(a) - this.occurredAt.at(b) ||
      this.ordinal.at(a) - this.ordinal.at(b) ||
      compareText(this.eventIdOf(a), this.eventIdOf(b))
    )
  }

  /** Returns whether the row is after the place in event order. */
  isAfter(row: number, place: Place): boolean {
    const ahead = this.occurredAt.at(row) - place[0] || this.ordinal.at(row) - place[1]
    return ahead === 0 ? compareText(this.eventIdOf(row), place[2]) > 0 : ahead > 0
  }
}
