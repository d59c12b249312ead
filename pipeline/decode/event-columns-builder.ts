/**
 * Builder of the columns that tables are derived from, for events that are decoded already: events
 * one by one, or rows of columns. Rows of columns are added without an object an event, and each text
 * of their dictionaries is looked up once.
 */

import type { DictionaryColumn } from '../base/columns.ts'
import type { Json } from '../base/json.ts'
import { FloatBuilder, IntBuilder } from './column-builders.ts'
import type { Correction, EventColumns } from './event-batch.ts'
import type { Identifiers } from './stored-decoder.ts'

/** Event to add. */
export type DecodedEvent = {
  eventId: string
  name: string
  source: string
  /** Microseconds. */
  occurredAt: number
  ordinal: number
  /** By declared namespace. */
  identifiers: Identifiers
  /** By operand path. */
  operands: readonly (Json | undefined)[]
  corrections: readonly Omit<Correction, 'row'>[]
}

export class EventColumnsBuilder {
  #eventId: string[] = []
  readonly #name = new Dictionary()
  readonly #source = new Dictionary()
  readonly #occurredAt = new FloatBuilder()
  readonly #ordinal = new FloatBuilder()
  readonly #identifiers: Dictionary[]
  #operands: (Json | undefined)[][]
  #corrections: Correction[] = []

  constructor(namespaceCount: number, operandCount: number) {
    this.#identifiers = Array.from({ length: namespaceCount }, () => new Dictionary())
    this.#operands = Array.from({ length: operandCount }, () => [])
  }

  get count(): number {
    return this.#eventId.length
  }

  add(event: DecodedEvent): void {
    const { identifiers, operands, corrections } = event
    const row = this.#eventId.push(event.eventId) - 1
    this.#name.push(event.name)
    this.#source.push(event.source)
    this.#occurredAt.push(event.occurredAt)
    this.#ordinal.push(event.ordinal)
    for (let n = 0; n < identifiers.length; n++) this.#identifiers[n]?.push(identifiers[n])
    for (let o = 0; o < operands.length; o++) this.#operands[o]?.push(operands[o])
    for (const correction of corrections) this.#corrections.push({ ...correction, row })
  }

  /** Adds rows of columns without their corrections. `known` caches codes while the columns and this
   * builder's batch stay the same. */
  addRows(columns: EventColumns, rows: Int32Array, known: KnownCodes): void {
    const { eventId, name, source, occurredAt, ordinal, identifiers, operands } = columns
    for (const row of rows) {
      this.#eventId.push(eventId[row] as string)
      this.#occurredAt.push(occurredAt[row] as number)
      this.#ordinal.push(ordinal[row] as number)
    }
    this.#name.pushRows(name, rows, known.name)
    this.#source.pushRows(source, rows, known.source)
    identifiers.forEach((column, n) => {
      this.#identifiers[n]?.pushRows(column, rows, known.identifiers[n] as Int32Array)
    })
    operands.forEach((values, o) => {
      for (const row of rows) this.#operands[o]?.push(values[row])
    })
  }

  /** Adds a correction of a row that was added. */
  addCorrection(correction: Correction): void {
    this.#corrections.push(correction)
  }

  /** Returns the columns and begins the next. */
  take(): EventColumns {
    const columns = {
      count: this.count,
      eventId: this.#eventId,
      name: this.#name.take(),
      source: this.#source.take(),
      occurredAt: this.#occurredAt.take(),
      ordinal: this.#ordinal.take(),
      identifiers: this.#identifiers.map((column) => column.take()),
      operands: this.#operands,
      corrections: this.#corrections,
    }
    this.#eventId = []
    this.#operands = this.#operands.map(() => [])
    this.#corrections = []
    return columns
  }
}

/** Codes in a builder of the texts in dictionaries of other columns; -1 is not known yet. */
export type KnownCodes = { name: Int32Array; source: Int32Array; identifiers: Int32Array[] }

/** Dictionary column of texts. */
class Dictionary {
  #codeOf = new Map<string, number>()
  readonly #codes = new IntBuilder()

  push(text: string | undefined): void {
    if (text === undefined) {
      this.#codes.push(-1)
      return
    }
    this.#codes.push(this.#code(text))
  }

  pushRows({ values, codes }: DictionaryColumn, rows: Int32Array, known: Int32Array): void {
    for (const row of rows) {
      const from = codes[row] as number
      let code = from < 0 ? -1 : (known[from] as number)
      if (from >= 0 && code < 0) {
        code = this.#code(values[from] as string)
        known[from] = code
      }
      this.#codes.push(code)
    }
  }

  #code(text: string): number {
    let code = this.#codeOf.get(text)
    if (code === undefined) {
      code = this.#codeOf.size
      this.#codeOf.set(text, code)
    }
    return code
  }

  take(): DictionaryColumn {
    const column = { values: [...this.#codeOf.keys()], codes: this.#codes.take() }
    this.#codeOf = new Map()
    return column
  }
}
