/**
 * The Segment wire form, read from a scanned line. `segment-format.ts` reads it from an object and
 * describes the form. Calls of type alias are left to it.
 */

import { INSTANT_MAX } from '../../base/clock.ts'
import { setSlice, sliceOf, type Bytes, type Slice } from '../bytes.ts'
import type { BatchBuilder } from '../event-batch-builder.ts'
import { digitsEnd, type IdentifierScan } from './identifier-scan.ts'
import type { FormScan } from './line-scanner.ts'
import { ABSENT, ESCAPED_TEXT, OTHER, PLAIN_TEXT, type MemberScan } from './member-scan.ts'
import type { ScannedEvent } from './scanned-event.ts'
import { UNKNOWN_SOURCE, type ScannedFields } from './scanned-fields.ts'
import { hasTraits, NAMES, sourceOfLibrary } from '../segment-format.ts'

/** Sources that a library's name can mean. */
const SOURCES = new Map(
  ['web', 'ios', 'android', 'server'].map((source) => [source, sliceOf(source)]),
)

/** A type of call: the name of its events, null where the call has it; whether it has traits. */
type Call = { name: Slice | null; hasTraits: boolean }

const CALLS = new Map<string, Call>([['track', { name: null, hasTraits: false }]])
for (const [type, name] of Object.entries(NAMES)) {
  if (type !== 'alias') CALLS.set(type, { name: sliceOf(name), hasTraits: hasTraits(type) })
}

export class SegmentScan implements FormScan {
  propertiesMember: 'properties' | 'traits' = 'properties'
  readonly #fields: ScannedFields
  readonly #scan: MemberScan
  readonly #identifiers: IdentifierScan
  readonly #value = sliceOf('')
  readonly #slots
  /** `namespace` and its index, beside the slot of its value. */
  readonly #userId: Namespace
  readonly #email: Namespace
  readonly #anonymousId: Namespace
  readonly #deviceId: Namespace

  constructor(fields: ScannedFields, identifiers: IdentifierScan, namespaces: readonly string[]) {
    this.#fields = fields
    this.#scan = fields.scan
    this.#identifiers = identifiers
    this.#slots = {
      type: fields.scan.slot('type'),
      messageId: fields.scan.slot('messageId'),
      event: fields.scan.slot('event'),
      timestamp: fields.scan.slot('timestamp'),
      originalTimestamp: fields.scan.slot('originalTimestamp'),
      sentAt: fields.scan.slot('sentAt'),
      receivedAt: fields.scan.slot('receivedAt'),
      userId: fields.scan.slot('userId'),
      anonymousId: fields.scan.slot('anonymousId'),
      properties: fields.scan.slot('properties'),
      traits: fields.scan.slot('traits'),
      email: fields.scan.slot('traits.email'),
      context: fields.scan.slot('context'),
      contextEmail: fields.scan.slot('context.traits.email'),
      deviceId: fields.scan.slot('context.device.id'),
      source: fields.scan.slot('context.source'),
      library: fields.scan.slot('context.library.name'),
    }
    const namespace = (name: string) => ({ name: sliceOf(name), index: namespaces.indexOf(name) })
    this.#userId = namespace('user_id')
    this.#email = namespace('email')
    this.#anonymousId = namespace('anonymous_id')
    this.#deviceId = namespace('device_id')
  }

  isForm(): boolean {
    const { types } = this.#scan
    return types[this.#slots.type] === PLAIN_TEXT || types[this.#slots.messageId] !== ABSENT
  }

  read(bytes: Bytes, landedAt: number, event: ScannedEvent, into: BatchBuilder): boolean {
    const fields = this.#fields
    const slots = this.#slots
    const { types, from, to } = this.#scan
    if (types[slots.type] !== PLAIN_TEXT) return false
    const call = CALLS.get(bytes.array.toString('latin1', from[slots.type], to[slots.type]))
    if (call === undefined) return false
    this.propertiesMember = call.hasTraits ? 'traits' : 'properties'
    const isCommon =
      fields.name(slots.messageId, bytes, event.eventId) &&
      (call.name === null
        ? fields.name(slots.event, bytes, event.name)
        : setSlice(event.name, call.name)) &&
      fields.object(slots[this.propertiesMember], bytes, event.properties) &&
      fields.object(slots.context, bytes, event.context) &&
      this.#readSource(bytes, event)
    if (!isCommon) return false
    event.ordinal = 0
    event.receivedAt = fields.isAbsent(slots.receivedAt)
      ? landedAt
      : fields.instant(slots.receivedAt, bytes)
    this.#readOccurredAt(bytes, event)
    if (Number.isNaN(event.occurredAt + event.receivedAt)) return false
    return this.#readIdentifiers(bytes, call.hasTraits, event, into)
  }

  /** Sets NaN where a parser must decide. */
  #readOccurredAt(bytes: Bytes, event: ScannedEvent): void {
    const { timestamp, originalTimestamp, sentAt } = this.#slots
    const fields = this.#fields
    event.waited = undefined
    if (!fields.isAbsent(timestamp)) {
      event.occurredAt = fields.instant(timestamp, bytes)
      return
    }
    event.waited = fields.instant(sentAt, bytes) - fields.instant(originalTimestamp, bytes)
    const occurredAt = event.receivedAt - event.waited
    event.occurredAt = Math.abs(occurredAt) <= INSTANT_MAX ? occurredAt : NaN
  }

  #readSource(bytes: Bytes, event: ScannedEvent): boolean {
    const { source, library } = this.#slots
    const { types, from, to } = this.#scan
    if (types[source] === ESCAPED_TEXT) return false
    if (this.#fields.text(source, bytes, event.source)) return true
    if (types[library] === ESCAPED_TEXT) return false
    if (types[library] !== PLAIN_TEXT) return setSlice(event.source, UNKNOWN_SOURCE)
    const name = bytes.array.toString('utf8', from[library], to[library])
    return setSlice(event.source, SOURCES.get(sourceOfLibrary(name)) ?? UNKNOWN_SOURCE)
  }

  #readIdentifiers(
    bytes: Bytes,
    hasTraits: boolean,
    event: ScannedEvent,
    into: BatchBuilder,
  ): boolean {
    const { userId, email, contextEmail, anonymousId, deviceId } = this.#slots
    this.#identifiers.begin(event)
    const isAdded =
      this.#add(this.#userId, userId, bytes, event, into) &&
      this.#add(this.#email, hasTraits ? email : contextEmail, bytes, event, into) &&
      this.#add(this.#anonymousId, anonymousId, bytes, event, into) &&
      this.#add(this.#deviceId, deviceId, bytes, event, into)
    if (isAdded) this.#identifiers.end(event)
    return isAdded
  }

  #add(
    { name, index }: Namespace,
    slot: number,
    bytes: Bytes,
    event: ScannedEvent,
    into: BatchBuilder,
  ): boolean {
    if (this.#fields.isAbsent(slot)) return true
    const { types } = this.#scan
    const value = this.#value
    this.#fields.slice(slot, bytes, value)
    const isCommon =
      types[slot] === PLAIN_TEXT ||
      (types[slot] === OTHER && digitsEnd(bytes.array, value.from) === value.to)
    return isCommon && this.#identifiers.add(name, index, value, event, into)
  }
}

/** A namespace and its index among the declared ones, -1 for another. */
type Namespace = { name: Slice; index: number }
