/** Checks of an event's fields: the value as it is stored, or a refusal that names field and value. */

import { parseInstant } from '../base/clock.ts'
import { isObject, type Wire } from '../base/json.ts'
import type { RejectionReason } from './event-batch.ts'
import { TEXT_LENGTH_MAX } from './limits.ts'
import { notAnInstant, shown, type Rejection } from './wire-event.ts'

/** Thrown where a line is refused; the message is the detail. */
export class Refused extends Error {
  readonly reason: RejectionReason

  constructor({ reason, detail }: Rejection) {
    // A refusal is an outcome. Recording its stack takes longer than reading the line.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(detail)
    Error.stackTraceLimit = stackTraceLimit
    this.reason = reason
  }
}

export function refuse(reason: RejectionReason, detail: string): never {
  throw new Refused({ reason, detail })
}

/** Returns a required text of 1 to 256 characters. */
export function nameOf(field: string, value: unknown): string {
  if (value === undefined || value === null) return refuse('missing_field', `${field}: missing`)
  const isText = typeof value === 'string' && value !== '' && value.isWellFormed()
  if (isText && (value.length <= TEXT_LENGTH_MAX || [...value].length <= TEXT_LENGTH_MAX)) {
    return value
  }
  const want = `a text of 1 to ${TEXT_LENGTH_MAX} characters`
  return refuse('invalid_field', `${field}: ${shown(value)} is not ${want}`)
}

/** Returns a required instant, microseconds. */
export function requiredInstant(field: string, value: unknown): number {
  if (value === undefined || value === null) return refuse('missing_field', `${field}: missing`)
  return instantOr(0, field, value)
}

/** Returns an instant, microseconds; `standIn` where it is absent. */
export function instantOr(standIn: number, field: string, value: unknown): number {
  if (value === undefined || value === null) return standIn
  const instant = parseInstant(value)
  if (instant !== null) return instant
  throw new Refused(notAnInstant(field, value))
}

/** Returns an integer; 0 where it is absent. */
export function ordinalOf(value: unknown): number {
  if (value === undefined || value === null) return 0
  // Adding 0 turns minus zero into zero, which differ only when compared as text.
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value + 0
  return refuse('invalid_field', `ordinal: ${shown(value)} is not an integer`)
}

/** Returns a text; `unknown` where it is absent. */
export function sourceOf(value: unknown): string {
  if (value === undefined || value === null) return 'unknown'
  if (typeof value === 'string' && value.isWellFormed()) return value
  return refuse('invalid_field', `source: ${shown(value)} is not a text`)
}

/** Returns an object; an empty one where it is absent. */
export function objectOrEmpty(field: string, value: unknown): Wire {
  if (value === undefined || value === null) return {}
  return isObject(value)
    ? value
    : refuse('invalid_field', `${field}: ${shown(value)} is not an object`)
}
