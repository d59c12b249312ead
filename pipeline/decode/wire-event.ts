/**
 * What a wire form's decoder gives back: the canonical event with its fields still unjudged, or
 * why there is none. `decode.ts` judges the fields, in one place for all forms.
 */

import { instantHint } from '../base/clock.ts'
import type { RejectionReason } from './event-batch.ts'

/** Canonical fields as sent; undefined and null are absent. */
export type Unjudged = {
  eventId: unknown
  name: unknown
  occurredAt: unknown
  /** Microseconds from the event to its receipt, where `occurredAt` was told from the receipt. */
  waited: number | undefined
  ordinal: unknown
  receivedAt: unknown
  source: unknown
  identifiers: unknown
  properties: unknown
  context: unknown
  alias: unknown
  unlink: unknown
  /** Names of the line's members that `properties` and `context` are, as sent. */
  propertiesMember: string
  contextMember: string
  /** What the form calls its fields, for messages. */
  labels: { eventId: string; name: string; occurredAt: string }
}

export type Rejection = { reason: RejectionReason; detail: string }

export function isRejection(read: Unjudged | Rejection): read is Rejection {
  return 'reason' in read
}

/** The rejection of a value that `parseInstant` cannot read. */
export function notAnInstant(field: string, value: unknown): Rejection {
  return {
    reason: 'invalid_field',
    detail: `${field}: ${shown(value)} is not ${instantHint(value)}`,
  }
}

/** A value in a message, at most 80 characters of it. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`
}
