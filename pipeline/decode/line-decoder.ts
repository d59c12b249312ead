/**
 * Parses a line into an accepted event, or a refusal that names the field and the value.
 *
 * Each line is judged alone: whether it lands does not depend on the other lines of a chunk
 * (`deduplicate.ts` handles repeated events). No line throws. Blank lines are skipped. `properties`
 * and `context` are stored as the sender wrote them. `line-scanner.ts` is faster for common lines
 * and gives the same rows.
 */

import { IF_CARRIED, kindOfAlias, type Alias } from '../base/identifier.ts'
import { isObject, type Wire } from '../base/json.ts'
import type { EventDefinitions } from '../definition/events.ts'
import type { Identity } from '../definition/settings.ts'
import type { Correction } from './event-batch.ts'
import {
  landedTexts,
  type BatchBuilder,
  type Canonical,
  type LandedTexts,
} from './event-batch-builder.ts'
import {
  instantOr,
  nameOf,
  objectOrEmpty,
  ordinalOf,
  refuse,
  Refused,
  requiredInstant,
  sourceOf,
} from './field-checks.ts'
import { IdentifierReader, namesPerson, splitIdentifier } from './identifier-values.ts'
import { nestingOf } from './scan/json-scan.ts'
import { sliceMembers } from './json-slice.ts'
import {
  AHEAD_MAX,
  KEPT_OF_TOO_LARGE,
  LANDED_BYTES_MAX,
  LINE_BYTES_MAX,
  NESTING_MAX,
} from './limits.ts'
import { isNative, readNative } from './native-format.ts'
import { valueAt } from './operand-value.ts'
import { isSegment, readSegment } from './segment-format.ts'
import { isRejection, shown, type Rejection, type Unjudged } from './wire-event.ts'

export type DecodeOptions = {
  identity: Identity
  /** `properties.a.b` or `context.x`. Only own members of objects are read. */
  operandPaths: string[]
  /** Format of every line. If undefined, it is detected per line. */
  format: 'native' | 'segment' | undefined
  events: EventDefinitions
  /** Key of namespaces declared `hashed`. */
  hashKey: string | undefined
}

export class LineDecoder {
  readonly #options: DecodeOptions
  readonly #namespaces: string[]
  readonly #identifiers: IdentifierReader
  readonly #paths: string[][]
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true })

  constructor(options: DecodeOptions) {
    this.#options = options
    this.#namespaces = [...options.identity.person, ...options.identity.device]
    // Input is redacted before it is decoded, so hashed values are already hashes here.
    this.#identifiers = new IdentifierReader({ ...options.identity, hashed: [] }, undefined)
    this.#paths = options.operandPaths.map((path) => path.split('.'))
  }

  /** Adds the line from one byte up to another, without its line break, to a batch. `landedAt` in
   * microseconds. */
  add(chunk: Uint8Array, from: number, to: number, landedAt: number, into: BatchBuilder): void {
    try {
      if (to - from > LINE_BYTES_MAX) {
        const detail = `the line has ${to - from} bytes, more than ${LINE_BYTES_MAX}`
        into.refuse(from, from + KEPT_OF_TOO_LARGE, 'too_large', detail)
        return
      }
      const line = this.#textOf(chunk.subarray(from, to))
      if (line.trim() === '') return
      if (to - from > 2 * NESTING_MAX) judgeNesting(chunk.subarray(from, to))
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
      properties: objectOrEmpty('properties', event.properties),
      context: objectOrEmpty('context', event.context),
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
    const given = objectOrEmpty('identifiers', identifiers)
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
      if (at >= 0 && !read.isIgnored) who[at] = read.landed
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
    judgeSize(event, texts)
    const row = into.add(event, texts, from, to)
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
    const { identity } = this.#options
    const counts = [a, b].every((one) => namesPerson(one, identity, this.#identifiers))
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
