/** Builder of a batch, line by line, and its column builders. */

import type { Correction, EventBatch, Refusal, RejectionReason } from './event-batch.ts'
import type { DictionaryColumn, TextColumn } from '../base/columns.ts'
import type { Alias } from '../base/identifier.ts'
import type { Wire, Json } from '../base/json.ts'
import { hashes64, hashesOfHalves, pushHash64 } from '../base/hash.ts'

/** Event whose fields were validated. */
export type Canonical = {
  eventId: string
  name: string
  occurredAt: number
  /** Microseconds until its receipt, if `occurredAt` was computed from the receipt. */
  waited: number | undefined
  ordinal: number
  receivedAt: number
  source: string
  /** As stored, and by declared namespace without placeholders. */
  identifiers: { [namespace: string]: string }
  who: (string | null)[]
  properties: Wire
  context: Wire
  alias: Alias | null
  unlink: [string, string] | null
}

/** Stored JSON texts of an event; empty without an alias or unlink. */
export type LandedTexts = {
  identifiers: string
  properties: string
  context: string
  alias: string
  unlink: string
}

/** Returns the stored texts of an event. */
export function landedTexts(event: Canonical, properties: string, context: string): LandedTexts {
  return {
    identifiers: JSON.stringify(event.identifiers),
    properties,
    context,
    alias: event.alias === null ? '' : JSON.stringify(event.alias),
    unlink: event.unlink === null ? '' : JSON.stringify(event.unlink),
  }
}

/** Details contain field names of the sender, which may be long. */
const DETAIL_LENGTH_MAX = 1_000
const BYTES_AT_FIRST = 1 << 16
/** A UTF-16 unit is at most three bytes of UTF-8. */
const BYTES_PER_UNIT = 3

class TextBuilder {
  #bytes = Buffer.allocUnsafeSlow(BYTES_AT_FIRST)
  #end = 0
  readonly #offsets: number[] = [0]

  push(text: string): void {
    const most = this.#end + text.length * BYTES_PER_UNIT
    if (most > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(most, this.#bytes.length * 2))
      this.#bytes.copy(larger, 0, 0, this.#end)
      this.#bytes = larger
    }
    this.#end += this.#bytes.write(text, this.#end)
    this.#offsets.push(this.#end)
  }

  build(): TextColumn {
    return { bytes: this.#bytes.subarray(0, this.#end), offsets: Int32Array.from(this.#offsets) }
  }
}

class DictionaryBuilder {
  readonly #codeOf = new Map<string, number>()
  readonly #codes: number[] = []

  push(text: string | null): void {
    if (text === null) {
      this.#codes.push(-1)
      return
    }
    let code = this.#codeOf.get(text)
    if (code === undefined) this.#codeOf.set(text, (code = this.#codeOf.size))
    this.#codes.push(code)
  }

  build(): DictionaryColumn {
    return { values: [...this.#codeOf.keys()], codes: Int32Array.from(this.#codes) }
  }
}

/** Collects the columns of a batch. */
export class BatchBuilder {
  readonly #eventId: string[] = []
  readonly #name = new DictionaryBuilder()
  readonly #source = new DictionaryBuilder()
  readonly #occurredAt: number[] = []
  readonly #receivedAt: number[] = []
  readonly #ordinal: number[] = []
  readonly #who: DictionaryBuilder[]
  readonly #identifiersJson = new TextBuilder()
  readonly #propertiesJson = new TextBuilder()
  readonly #contextJson = new TextBuilder()
  readonly #aliasJson = new Map<number, string>()
  readonly #unlinkJson = new Map<number, string>()
  readonly #fingerprints: number[] = []
  readonly #lineFrom: number[] = []
  readonly #lineTo: number[] = []
  readonly #refusals: Refusal[] = []
  readonly operands: (Json | undefined)[][]
  readonly corrections: Correction[] = []

  constructor(namespaceCount: number, operandCount: number) {
    this.#who = Array.from({ length: namespaceCount }, () => new DictionaryBuilder())
    this.operands = Array.from({ length: operandCount }, () => [])
  }

  refuse(from: number, to: number, reason: RejectionReason, detail: string): void {
    const short =
      detail.length <= DETAIL_LENGTH_MAX ? detail : `${detail.slice(0, DETAIL_LENGTH_MAX - 1)}…`
    this.#refusals.push({ from, to, reason, detail: short.toWellFormed() })
  }

  /** Adds a row for an event and returns its number. */
  begin(event: Canonical, from: number, to: number): number {
    this.#name.push(event.name)
    this.#source.push(event.source)
    this.#occurredAt.push(event.occurredAt)
    this.#receivedAt.push(event.receivedAt)
    this.#ordinal.push(event.ordinal)
    this.#who.forEach((column, n) => column.push(event.who[n] ?? null))
    this.#lineFrom.push(from)
    this.#lineTo.push(to)
    return this.#eventId.push(event.eventId) - 1
  }

  /** Adds the stored texts of an event and computes its fingerprint. */
  texts(row: number, event: Canonical, texts: LandedTexts): void {
    const { identifiers, properties, context, alias, unlink } = texts
    this.#identifiersJson.push(identifiers)
    this.#propertiesJson.push(properties)
    this.#contextJson.push(context)
    if (alias !== '') this.#aliasJson.set(row, alias)
    if (unlink !== '') this.#unlinkJson.set(row, unlink)
    const when = event.waited === undefined ? event.occurredAt : `waited ${event.waited}`
    const content =
      `${event.name}\n${event.source}\n${when}\n${event.ordinal}\n${identifiers}\n` +
      `${properties}\n${context}\n${alias}\n${unlink}`
    pushHash64(content, this.#fingerprints)
  }

  build(raw: Uint8Array): EventBatch {
    const count = this.#eventId.length
    return {
      count,
      eventId: this.#eventId,
      name: this.#name.build(),
      source: this.#source.build(),
      occurredAt: Float64Array.from(this.#occurredAt),
      receivedAt: Float64Array.from(this.#receivedAt),
      ordinal: Float64Array.from(this.#ordinal),
      identifiers: this.#who.map((column) => column.build()),
      operands: this.operands,
      corrections: this.corrections,
      identifiersJson: this.#identifiersJson.build(),
      propertiesJson: this.#propertiesJson.build(),
      contextJson: this.#contextJson.build(),
      aliasJson: this.#aliasJson,
      unlinkJson: this.#unlinkJson,
      eventHash: hashes64(this.#eventId),
      fingerprint: hashesOfHalves(this.#fingerprints),
      lineFrom: Int32Array.from(this.#lineFrom),
      lineTo: Int32Array.from(this.#lineTo),
      raw,
      refusals: this.#refusals,
      read: count + this.#refusals.length,
    }
  }
}
