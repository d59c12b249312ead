/** Builder of a batch, line by line. */

import { isAscii } from 'node:buffer'
import type { Correction, EventBatch, Refusal, RejectionReason } from './event-batch.ts'
import type { Alias } from '../base/identifier.ts'
import type { TextColumn } from '../base/columns.ts'
import { hashHalves, hashUtf8, highHalf, lowHalf } from '../base/hash.ts'
import type { Wire, Json } from '../base/json.ts'
import { DictionaryBuilder, FloatBuilder, IntBuilder, TextBuilder } from './column-builders.ts'
import { ContentBuilder } from './content-builder.ts'
import type { ScannedEvent } from './scan/scanned-event.ts'

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
  /** As stored, and the values by declared namespace without placeholders. */
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

/** Collects the columns of one batch after another. */
export class BatchBuilder {
  #count = 0
  readonly #eventId = new TextBuilder()
  readonly name = new DictionaryBuilder()
  readonly source = new DictionaryBuilder()
  readonly #occurredAt = new FloatBuilder()
  readonly #receivedAt = new FloatBuilder()
  readonly #ordinal = new FloatBuilder()
  /** By declared namespace. A text is a value without its namespace. */
  readonly who: DictionaryBuilder[]
  readonly #content = new ContentBuilder()
  #aliasJson = new Map<number, string>()
  #unlinkJson = new Map<number, string>()
  /** Two halves a row. */
  readonly #eventHash = new IntBuilder()
  readonly #fingerprint = new IntBuilder()
  readonly #lineFrom = new IntBuilder()
  readonly #lineTo = new IntBuilder()
  #refusals: Refusal[] = []
  operands: (Json | undefined)[][]
  corrections: Correction[] = []

  /** `isIgnored` is true for identifier values that name nobody. */
  constructor(
    namespaces: readonly string[],
    isIgnored: (value: string) => boolean,
    operandCount: number,
  ) {
    this.who = namespaces.map(
      (namespace) =>
        new DictionaryBuilder((value) => (isIgnored(value) ? null : `${namespace}:${value}`)),
    )
    this.operands = Array.from({ length: operandCount }, () => [])
  }

  refuse(from: number, to: number, reason: RejectionReason, detail: string): void {
    const short =
      detail.length <= DETAIL_LENGTH_MAX ? detail : `${detail.slice(0, DETAIL_LENGTH_MAX - 1)}…`
    this.#refusals.push({ from, to, reason, detail: short.toWellFormed() })
  }

  /** Adds an event's row, the line of which is from one byte up to another; returns its number. */
  add(event: Canonical, texts: LandedTexts, from: number, to: number): number {
    const row = this.#count
    this.#eventId.pushText(event.eventId)
    this.name.pushText(event.name)
    this.source.pushText(event.source)
    event.who.forEach((value, n) => this.who[n]?.pushText(value))
    if (texts.alias !== '') this.#aliasJson.set(row, texts.alias)
    if (texts.unlink !== '') this.#unlinkJson.set(row, texts.unlink)
    hashHalves(event.eventId)
    pushHash(this.#eventHash)
    this.#content.addParsed(event, texts)
    pushHash(this.#fingerprint)
    this.#end(event, from, to)
    return row
  }

  /** Adds the row of an event without alias and unlink; `operands` are its values by path. */
  addScanned(
    event: ScannedEvent,
    operands: readonly (Json | undefined)[],
    from: number,
    to: number,
  ): void {
    const { eventId, name, source } = event
    this.#eventId.pushBytes(eventId)
    this.name.pushEntry(this.name.entry(name))
    this.source.pushEntry(this.source.entry(source))
    for (let n = 0; n < this.who.length; n++) {
      ;(this.who[n] as DictionaryBuilder).pushEntry(event.who[n] as number)
    }
    for (let o = 0; o < operands.length; o++) this.operands[o]?.push(operands[o])
    hashUtf8(eventId.bytes, eventId.from, eventId.to)
    pushHash(this.#eventHash)
    this.#content.addScanned(event)
    pushHash(this.#fingerprint)
    this.#end(event, from, to)
  }

  #end(event: Canonical | ScannedEvent, from: number, to: number): void {
    this.#occurredAt.push(event.occurredAt)
    this.#receivedAt.push(event.receivedAt)
    this.#ordinal.push(event.ordinal)
    this.#lineFrom.push(from)
    this.#lineTo.push(to)
    this.#count += 1
  }

  /** Returns the batch, the lines of which are in `raw`, and begins the next. */
  take(raw: Uint8Array): EventBatch {
    const eventIdText = this.#eventId.take()
    const batch: EventBatch = {
      count: this.#count,
      eventId: textsOf(eventIdText),
      eventIdText,
      name: this.name.take(),
      source: this.source.take(),
      occurredAt: this.#occurredAt.take(),
      receivedAt: this.#receivedAt.take(),
      ordinal: this.#ordinal.take(),
      identifiers: this.who.map((column) => column.take()),
      operands: this.operands,
      corrections: this.corrections,
      content: this.#content.take(),
      aliasJson: this.#aliasJson,
      unlinkJson: this.#unlinkJson,
      eventHash: new BigUint64Array(this.#eventHash.take().buffer),
      fingerprint: new BigUint64Array(this.#fingerprint.take().buffer),
      lineFrom: this.#lineFrom.take(),
      lineTo: this.#lineTo.take(),
      raw,
      refusals: this.#refusals,
      read: this.#count + this.#refusals.length,
    }
    this.#count = 0
    this.operands = this.operands.map(() => [])
    this.corrections = []
    this.#aliasJson = new Map()
    this.#unlinkJson = new Map()
    this.#refusals = []
    return batch
  }
}

function pushHash(into: IntBuilder): void {
  into.push(lowHalf())
  into.push(highHalf())
}

/** Returns the strings of a column. */
export function textsOf({ bytes, offsets }: TextColumn): string[] {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  // Slices of one string cost a fifth of strings of their own.
  const ascii = isAscii(all) ? all.toString('latin1') : null
  const texts: string[] = []
  for (let row = 1; row < offsets.length; row++) {
    const [from, to] = [offsets[row - 1], offsets[row]]
    texts.push(ascii === null ? all.toString('utf8', from, to) : ascii.slice(from, to))
  }
  return texts
}
