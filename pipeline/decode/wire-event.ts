/**
 * Result of a wire format's decoder: the canonical event with unvalidated fields, or a rejection.
 * `decode.ts` validates the fields of all formats.
 */

import { instantHint } from '../base/clock.ts'
import type { RejectionReason } from './event-batch.ts'

/** Canonical fields as sent; undefined and null mean absent. */
export type Unjudged = {
  eventId: unknown
  name: unknown
  occurredAt: unknown
  /** Microseconds from the event to its receipt, if `occurredAt` was computed from the receipt. */
  waited: number | undefined
  ordinal: unknown
  receivedAt: unknown
  source: unknown
  identifiers: unknown
  properties: unknown
  context: unknown
  alias: unknown
  unlink: unknown
  /** Name of the line's member that `properties` was read from. */
  propertiesMember: string
  contextMember: string
  /** Names of the fields in this format, for messages. */
  labels: { eventId: string; name: string; occurredAt: string }
}

export type Rejection = { reason: RejectionReason; detail: string }

export function isRejection(read: Unjudged | Rejection): read is Rejection {
  return 'reason' in read
}

/** Returns the rejection of a value that `parseInstant` cannot read. */
export function notAnInstant(field: string, value: unknown): Rejection {
  return {
    reason: 'invalid_field',
    detail: `${field}: ${shown(value)} is not ${instantHint(value)}`,
  }
}

/** Formats a value for a message, at most 80 characters. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`
}
