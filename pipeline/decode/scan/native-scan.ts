/** The native wire form, read from a scanned line. `native-format.ts` reads it from an object. */

import { setSlice, sliceOf, type Bytes } from '../bytes.ts'
import type { BatchBuilder } from '../event-batch-builder.ts'
import type { IdentifierScan } from './identifier-scan.ts'
import { integerAt } from './instant-scan.ts'
import type { FormScan } from './line-scanner.ts'
import { ABSENT, OTHER } from './member-scan.ts'
import type { ScannedEvent } from './scanned-event.ts'
import { UNKNOWN_SOURCE, type ScannedFields } from './scanned-fields.ts'

export class NativeScan implements FormScan {
  readonly propertiesMember = 'properties'
  readonly #fields: ScannedFields
  readonly #identifiers: IdentifierScan
  readonly #object = sliceOf('')
  readonly #slots

  constructor(fields: ScannedFields, identifiers: IdentifierScan) {
    this.#fields = fields
    this.#identifiers = identifiers
    this.#slots = {
      eventId: fields.scan.slot('event_id'),
      name: fields.scan.slot('name'),
      occurredAt: fields.scan.slot('occurred_at'),
      receivedAt: fields.scan.slot('received_at'),
      ordinal: fields.scan.slot('ordinal'),
      source: fields.scan.slot('source'),
      identifiers: fields.scan.slot('identifiers'),
      properties: fields.scan.slot('properties'),
      context: fields.scan.slot('context'),
      alias: fields.scan.slot('alias'),
      unlink: fields.scan.slot('unlink'),
    }
  }

  isForm(): boolean {
    const { types } = this.#fields.scan
    const { eventId, occurredAt, identifiers } = this.#slots
    return (
      types[eventId] !== ABSENT || types[occurredAt] !== ABSENT || types[identifiers] !== ABSENT
    )
  }

  read(bytes: Bytes, landedAt: number, event: ScannedEvent, into: BatchBuilder): boolean {
    const fields = this.#fields
    const slots = this.#slots
    const isCommon =
      fields.name(slots.eventId, bytes, event.eventId) &&
      fields.name(slots.name, bytes, event.name) &&
      fields.isAbsent(slots.alias) &&
      fields.isAbsent(slots.unlink) &&
      fields.object(slots.properties, bytes, event.properties) &&
      fields.object(slots.context, bytes, event.context) &&
      (fields.isAbsent(slots.source)
        ? setSlice(event.source, UNKNOWN_SOURCE)
        : fields.text(slots.source, bytes, event.source))
    if (!isCommon) return false
    event.waited = undefined
    event.occurredAt = fields.instant(slots.occurredAt, bytes)
    event.receivedAt = fields.isAbsent(slots.receivedAt)
      ? landedAt
      : fields.instant(slots.receivedAt, bytes)
    event.ordinal = this.#ordinal(bytes)
    if (Number.isNaN(event.occurredAt + event.receivedAt + event.ordinal)) return false
    return this.#readIdentifiers(bytes, event, into)
  }

  #ordinal(bytes: Bytes): number {
    const { ordinal } = this.#slots
    if (this.#fields.isAbsent(ordinal)) return 0
    const { types, from, to } = this.#fields.scan
    return types[ordinal] === OTHER
      ? integerAt(bytes.array, from[ordinal] as number, to[ordinal] as number)
      : NaN
  }

  #readIdentifiers(bytes: Bytes, event: ScannedEvent, into: BatchBuilder): boolean {
    const { identifiers } = this.#slots
    if (!this.#fields.object(identifiers, bytes, this.#object)) return false
    this.#identifiers.begin(event)
    if (!this.#identifiers.addAll(this.#object, event, into)) return false
    this.#identifiers.end(event)
    return true
  }
}
