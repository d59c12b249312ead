/**
 * Decodes bytes into a batch: each line becomes an accepted event, or a refusal that names the
 * field and the value.
 *
 * Each line is judged alone: whether it lands does not depend on the other lines of a chunk
 * (`deduplicate.ts` handles repeated events). No line throws. Blank lines are skipped. `properties`
 * and `context` are stored as the sender wrote them.
 */

import type { Correction, EventBatch, RejectionReason } from './event-batch.ts'
import {
  BatchBuilder,
  landedTexts,
  type Canonical,
  type LandedTexts,
} from './event-batch-builder.ts'
import { HOUR, parseInstant } from '../base/clock.ts'
import type { EventDefinitions } from '../definition/events.ts'
import { IF_CARRIED, kindOfAlias, type Alias } from '../base/identifier.ts'
import { isObject, type Wire, type Json } from '../base/json.ts'
import { isRejection, notAnInstant, shown, type Rejection, type Unjudged } from './wire-event.ts'
import { IdentifierReader, splitIdentifier } from './identifier-values.ts'
import type { Identity } from '../definition/settings.ts'
import { nestingOf } from './json-scan.ts'
import { sliceMembers } from './json-slice.ts'
import { unpack, type Messages, type Unpacked } from './unpack-messages.ts'
import { Redactor } from './redact.ts'
import { isNative, readNative } from './native-format.ts'
import { isSegment, readSegment } from './segment-format.ts'

/** Longer lines are refused without parsing. This many of their bytes are kept. */
export const LINE_BYTES_MAX = 4 * 1024 * 1024
const KEPT_OF_TOO_LARGE = 64 * 1024
/**
 * Longest event, in stored bytes. Stored text may be longer than the line. As JSON within JSON it
 * can double again, and must still fit a BigQuery request of 20 MB.
 */
export const LANDED_BYTES_MAX = 8 * 1024 * 1024
/** Deepest nesting of arrays and objects. It bounds the recursion of everything that walks them. */
const NESTING_MAX = 500
const TEXT_LENGTH_MAX = 256
/** Longest time that an event may be dated after its receipt. */
const AHEAD_MAX = 24 * HOUR
const NEW_LINE = 0x0a

export type DecodeOptions = {
  identity: Identity
  /** `properties.a.b` or `context.x`. Only own members of objects are read. */
  operandPaths: string[]
  /** Format of every line. If undefined, it is detected per line. */
  format: 'native' | 'segment' | undefined
  events: EventDefinitions
  /** Key of namespaces declared `hashed`. */
  hashKey: string | undefined
  /** Whether lines are stored events. They were accepted before, so no limits apply. */
  isOnRecord?: boolean
}

/** Returns the redactor with this decoder's limits, or null if no namespace is hashed. */
export function redactorOf(identity: Identity, hashKey: string | undefined): Redactor | null {
  const bounds = { lineBytesMax: LINE_BYTES_MAX, keptOfTooLarge: KEPT_OF_TOO_LARGE }
  return Redactor.of(identity, hashKey, bounds)
}

class Refused extends Error {
  readonly reason: RejectionReason

  constructor({ reason, detail }: Rejection) {
    super(detail)
    this.reason = reason
  }
}

function refuse(reason: RejectionReason, detail: string): never {
  throw new Refused({ reason, detail })
}

export class ChunkDecoder {
  readonly #options: DecodeOptions
  readonly #namespaces: string[]
  readonly #personCount: number
  readonly #identifiers: IdentifierReader
  readonly #paths: string[][]
  /** Null if no namespace is hashed. */
  readonly #redactor: Redactor | null
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true })

  constructor(options: DecodeOptions) {
    this.#options = options
    this.#namespaces = [...options.identity.person, ...options.identity.device]
    this.#personCount = options.identity.person.length
    // Input is redacted before it is decoded, so hashed values are already hashes here.
    this.#identifiers = new IdentifierReader({ ...options.identity, hashed: [] }, undefined)
    this.#redactor = redactorOf(options.identity, options.hashKey)
    this.#paths = options.operandPaths.map((path) => path.split('.'))
  }

  /** Decodes a chunk of whole lines that landed at `landedAt` (microseconds). */
  decode(chunk: Uint8Array, landedAt: number): EventBatch {
    const builder = this.#builder()
    const lines = this.#redactor?.lines(chunk) ?? chunk
    this.#lines(lines, 0, lines.length, landedAt, builder)
    return builder.build(lines)
  }

  /** Decodes a chunk of messages. Each landed when it was published. */
  decodeMessages(chunk: Uint8Array, messages: Messages): EventBatch {
    const builder = this.#builder()
    const { bytes, ends, refused } = this.unpack(chunk, messages)
    ends.forEach((to, message) => {
      const from = ends[message - 1] ?? 0
      const refusal = refused.get(message)
      if (refusal !== undefined) builder.refuse(from, to - 1, refusal.reason, refusal.detail)
      else this.#lines(bytes, from, to, messages.publishedAt[message] as number, builder)
    })
    return builder.build(bytes)
  }

  /** Returns the messages of a chunk as redacted lines, in order. */
  unpack(chunk: Uint8Array, messages: Messages): Unpacked {
    const unpacked = unpack(chunk, messages)
    return this.#redactor?.unpacked(unpacked) ?? unpacked
  }

  #builder(): BatchBuilder {
    return new BatchBuilder(this.#namespaces.length, this.#paths.length)
  }

  /** Decodes the lines in a range of bytes. Only the last line of the chunk may lack its line
   * break. */
  #lines(chunk: Uint8Array, first: number, end: number, at: number, into: BatchBuilder): void {
    for (let from = first; from < end;) {
      const lineBreak = chunk.indexOf(NEW_LINE, from)
      const to = lineBreak < 0 ? end : lineBreak
      this.#line(chunk, from, to, at, into)
      from = to + 1
    }
  }

  #line(chunk: Uint8Array, from: number, to: number, landedAt: number, into: BatchBuilder): void {
    try {
      if (to - from > LINE_BYTES_MAX && !this.#options.isOnRecord) {
        const detail = `the line has ${to - from} bytes, more than ${LINE_BYTES_MAX}`
        into.refuse(from, from + KEPT_OF_TOO_LARGE, 'too_large', detail)
        return
      }
      const line = this.#textOf(chunk.subarray(from, to))
      if (line.trim() === '') return
      if (to - from > 2 * NESTING_MAX && !this.#options.isOnRecord) {
        judgeNesting(chunk.subarray(from, to))
      }
      const wire = parse(line)
      const unjudged = this.#read(wire, landedAt)
      if (isRejection(unjudged)) throw new Refused(unjudged)
      const event = this.#judge(unjudged, landedAt)
      this.#add(event, unjudged, line, from, to, into)
    } catch (thrown) {
      if (!(thrown instanceof Refused)) throw thrown
      into.refuse(from, to, thrown.reason, thrown.message)
    }
  }

  #textOf(bytes: Uint8Array): string {
    try {
      return this.#utf8.decode(bytes)
    } catch {
      return refuse('invalid_utf8', 'the line is not UTF-8')
    }
  }

  #read(wire: Wire, landedAt: number): Unjudged | Rejection {
    const { format } = this.#options
    if (format === 'native') return readNative(wire)
    if (format === 'segment') return readSegment(wire, landedAt)
    if (isNative(wire)) return readNative(wire)
    if (isSegment(wire)) return readSegment(wire, landedAt)
    const members = Object.keys(wire).slice(0, 8)
    return { reason: 'unknown_format', detail: `members ${shown(members)} match no known format` }
  }

  #judge(event: Unjudged, landedAt: number): Canonical {
    const { labels } = event
    const eventId = nameOf(labels.eventId, event.eventId)
    const name = nameOf(labels.name, event.name)
    const occurredAt = requiredInstant(labels.occurredAt, event.occurredAt)
    const receivedAt = instantOr(landedAt, 'received_at', event.receivedAt)
    const { landed, who } = this.#who(event.identifiers)
    const canonical: Canonical = {
      eventId,
      name,
      occurredAt,
      waited: event.waited,
      ordinal: ordinalOf(event.ordinal),
      receivedAt,
      source: sourceOf(event.source),
      identifiers: landed,
      who,
      properties: objectOr('properties', event.properties),
      context: objectOr('context', event.context),
      alias: this.#alias(event.alias),
      unlink: this.#pair('unlink', event.unlink),
    }
    if (occurredAt > receivedAt + AHEAD_MAX) {
      const detail = `${labels.occurredAt}: ${shown(event.occurredAt)} is more than 24 h ahead`
      refuse('occurred_in_future', detail)
    }
    if (who.every((identifier) => identifier === null)) {
      const detail = `identifiers: ${shown(landed)} has none of ${this.#namespaces.join(', ')}`
      refuse('no_identifier', detail)
    }
    this.#judgeDefinition(canonical)
    return canonical
  }

  #who(identifiers: unknown): { landed: { [namespace: string]: string }; who: (string | null)[] } {
    const given = objectOr('identifiers', identifiers)
    const landed: { [namespace: string]: string } = Object.create(null)
    const who = this.#namespaces.map((): string | null => null)
    for (const [namespace, value] of Object.entries(given)) {
      if (value === null || value === undefined) continue
      const read = this.#identifiers.read(namespace, value)
      if (read === null || !namespace.isWellFormed()) {
        const what = `identifiers.${namespace}: ${shown(value)}`
        return refuse('invalid_field', `${what} is neither text nor a number within 2^53`)
      }
      landed[namespace] = read.landed
      const at = this.#namespaces.indexOf(namespace)
      if (at >= 0 && !read.isIgnored) who[at] = `${namespace}:${read.landed}`
    }
    return { landed, who }
  }

  /** Returns an alias as it is stored, with its condition. */
  #alias(value: unknown): Alias | null {
    if (!Array.isArray(value) || value.length !== 3 || value[2] !== IF_CARRIED) {
      return this.#pair('alias', value)
    }
    const pair = this.#pair('alias', value.slice(0, 2))
    return pair === null ? null : [...pair, IF_CARRIED]
  }

  /** Returns the two identifiers as they are stored. */
  #pair(field: string, value: unknown): [string, string] | null {
    if (value === undefined || value === null) return null
    const parts = Array.isArray(value) && value.length === 2 ? value.map(splitIdentifier) : []
    const landed = parts.map((part) => {
      const read = part === null ? null : this.#identifiers.read(part[0], part[1])
      return part === null || read === null ? null : `${part[0]}:${read.landed}`
    })
    const [a, b] = landed
    if (typeof a === 'string' && typeof b === 'string' && (a + b).isWellFormed()) return [a, b]
    return refuse('invalid_field', `${field}: ${shown(value)} is not a pair of NAMESPACE:VALUE`)
  }

  #judgeDefinition({ name, properties }: Canonical): void {
    const { events, unknown } = this.#options.events
    const schema = Object.hasOwn(events, name) ? events[name] : undefined
    if (schema === undefined && unknown === 'refuse') {
      refuse('unknown_event', `name: ${shown(name)} is not in events.ts`)
    }
    if (schema === undefined || schema === null) return
    const { error } = schema.safeParse(properties)
    const issue = error?.issues[0]
    if (issue === undefined) return
    const path = ['properties', ...issue.path.map(String)].join('.')
    refuse('invalid_properties', `${path}: ${issue.message}`)
  }

  #add(
    event: Canonical,
    unjudged: Unjudged,
    line: string,
    from: number,
    to: number,
    into: BatchBuilder,
  ): void {
    const slices = sliceMembers(line, [unjudged.propertiesMember, unjudged.contextMember])
    const properties = sliced(line, slices?.[0], event.properties, slices === null)
    const context = sliced(line, slices?.[1], event.context, slices === null)
    const texts = landedTexts(event, properties, context)
    if (!this.#options.isOnRecord) judgeSize(event, texts)
    const row = into.begin(event, from, to)
    into.texts(row, event, texts)
    for (let o = 0; o < this.#paths.length; o++) {
      into.operands[o]?.push(valueAt(event, this.#paths[o] as string[]))
    }
    if (event.alias !== null) this.#correct(row, kindOfAlias(event.alias), event.alias, into)
    if (event.unlink !== null) this.#correct(row, 'unlink', event.unlink, into)
  }

  /** Adds a correction if both identifiers are declared person identifiers with real values. */
  #correct(
    row: number,
    kind: Correction['kind'],
    [a, b]: Alias | [string, string],
    into: BatchBuilder,
  ): void {
    const counts = [a, b].every((identifier) => {
      const [namespace, value] = splitIdentifier(identifier) as [string, string]
      const at = this.#namespaces.indexOf(namespace)
      return at >= 0 && at < this.#personCount && !this.#identifiers.isPlaceholder(value)
    })
    if (counts) into.corrections.push({ row, kind, a, b })
  }
}

/** Counts bytes only if the number of characters does not rule out an excess. */
function judgeSize({ eventId, name, source }: Canonical, texts: LandedTexts): void {
  const landed = [eventId, name, source, ...Object.values(texts)]
  if (landed.reduce((units, text) => units + text.length, 0) * 3 <= LANDED_BYTES_MAX) return
  const bytes = landed.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  if (bytes <= LANDED_BYTES_MAX) return
  refuse('too_large', `the event lands with ${bytes} bytes, more than ${LANDED_BYTES_MAX}`)
}

function parse(line: string): Wire {
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch (thrown) {
    const why = thrown instanceof RangeError ? 'nested too deeply' : 'not JSON'
    return refuse('invalid_json', `${shown(line)} is ${why}`)
  }
  return isObject(parsed) ? parsed : refuse('unknown_format', `${shown(parsed)} is not an object`)
}

/** Checks the nesting before parsing, because parsed nesting takes many times its bytes. */
function judgeNesting(line: Uint8Array): void {
  if (nestingOf(line) <= NESTING_MAX) return
  refuse('invalid_json', `the line is nested deeper than ${NESTING_MAX} levels`)
}

/** Returns a required text of 1 to 256 characters. */
function nameOf(field: string, value: unknown): string {
  if (value === undefined || value === null) return refuse('missing_field', `${field}: missing`)
  const isText = typeof value === 'string' && value !== '' && value.isWellFormed()
  if (isText && (value.length <= TEXT_LENGTH_MAX || [...value].length <= TEXT_LENGTH_MAX)) {
    return value
  }
  const want = `a text of 1 to ${TEXT_LENGTH_MAX} characters`
  return refuse('invalid_field', `${field}: ${shown(value)} is not ${want}`)
}

function requiredInstant(field: string, value: unknown): number {
  if (value === undefined || value === null) return refuse('missing_field', `${field}: missing`)
  return instantOr(0, field, value)
}

function instantOr(standIn: number, field: string, value: unknown): number {
  if (value === undefined || value === null) return standIn
  const instant = parseInstant(value)
  if (instant !== null) return instant
  throw new Refused(notAnInstant(field, value))
}

function ordinalOf(value: unknown): number {
  if (value === undefined || value === null) return 0
  // Adding 0 turns minus zero into zero, which differ only when compared as text.
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value + 0
  return refuse('invalid_field', `ordinal: ${shown(value)} is not an integer`)
}

function sourceOf(value: unknown): string {
  if (value === undefined || value === null) return 'unknown'
  if (typeof value === 'string' && value.isWellFormed()) return value
  return refuse('invalid_field', `source: ${shown(value)} is not a text`)
}

function objectOr(field: string, value: unknown): Wire {
  if (value === undefined || value === null) return {}
  return isObject(value)
    ? value
    : refuse('invalid_field', `${field}: ${shown(value)} is not an object`)
}

function sliced(
  line: string,
  slice: readonly [number, number] | undefined,
  value: Wire,
  mustWrite: boolean,
): string {
  if (mustWrite) return JSON.stringify(value)
  if (slice === undefined || line.charCodeAt(slice[0]) !== 0x7b) return '{}'
  return line.slice(slice[0], slice[1])
}

function valueAt(event: Canonical, path: string[]): Json | undefined {
  let value: unknown = event
  for (const key of path) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined
    value = value[key]
  }
  return keepable((value ?? undefined) as Json | undefined)
}

/** Returns the value as JSON keeps it. Numbers beyond a double's range count as absent. */
function keepable(value: Json | undefined): Json | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  return isObject(value) || Array.isArray(value) ? JSON.parse(JSON.stringify(value)) : value
}
