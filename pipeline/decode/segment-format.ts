/**
 * Segment wire format (https://segment.com/docs/connections/spec/common/): calls of type track,
 * page, screen, identify, group and alias.
 *
 * If `timestamp` is missing, the sender's clock is corrected like Segment does: `receivedAt` minus
 * the time that the message waited on the device. The channel is `context.source`, otherwise
 * derived from the name of the library: analytics.js is `web`, analytics-ios `ios`,
 * analytics-android `android`, any other library `server`.
 *
 * `alias` declares that `previousId` is now `userId`. In Segment's specification
 * (https://segment.com/docs/connections/spec/alias/), `previousId` is a user id or an anonymous id,
 * and the call does not distinguish them. The rule does not depend on the order of arrival:
 *
 * 1. If `previousId` equals the call's `anonymousId`, the libraries' default, it is an identify.
 * 2. A call without an `anonymousId` gets `previousId` as its `anonymous_id`.
 * 3. In every case except the first, the call is an alias with the condition `if_carried`.
 * 4. The alias counts if some event carries `user_id:previousId`. Until then, `previousId` is a
 *    device: in the second case the call links the stream of that device to the person.
 *
 * A call with another `anonymousId` belongs to the stream of that device, like any call.
 */

import { formatInstant, parseInstant } from '../base/clock.ts'
import { IF_CARRIED } from '../base/identifier.ts'
import { isObject, type Wire } from '../base/json.ts'
import { notAnInstant, shown, type Rejection, type Unjudged } from './wire-event.ts'
import { textOf } from './identifier-values.ts'

/** Names of events by the type of their call, track aside. */
export const NAMES: { [type: string]: string } = {
  page: 'Page Viewed',
  screen: 'Screen Viewed',
  identify: 'Identify',
  group: 'Group',
  alias: 'Alias',
}
const LABELS = { eventId: 'messageId', name: 'event', occurredAt: 'timestamp' }

/** Returns whether the object is a call, or has a member that only calls have. */
export function isSegment(wire: Wire): boolean {
  return isCall(wire['type']) || Object.hasOwn(wire, 'messageId')
}

function isCall(type: unknown): type is string {
  return typeof type === 'string' && (type === 'track' || Object.hasOwn(NAMES, type))
}

/** Returns whether the properties of such a call are its traits. */
export function hasTraits(type: string): boolean {
  return type === 'identify' || type === 'group'
}

/** Reads a call. `landedAt` (microseconds) replaces a missing `receivedAt`. */
export function readSegment(wire: Wire, landedAt: number): Unjudged | Rejection {
  const type = wire['type']
  if (!isCall(type)) {
    return { reason: 'invalid_field', detail: `type: ${shown(type)} is not a Segment call` }
  }
  const context = wire['context']
  const waited = isAbsent(wire['timestamp']) ? waitedOf(wire) : undefined
  if (typeof waited === 'object') return waited
  const receivedAt = parseInstant(wire['receivedAt']) ?? landedAt
  const isOfTraits = hasTraits(type)
  const traits = isOfTraits ? wire['traits'] : isObject(context) ? context['traits'] : undefined
  const alias = type === 'alias' ? aliasOf(wire) : undefined
  return {
    eventId: wire['messageId'],
    name: type === 'track' ? wire['event'] : NAMES[type],
    occurredAt: waited === undefined ? wire['timestamp'] : formatInstant(receivedAt - waited),
    waited,
    ordinal: undefined,
    receivedAt: wire['receivedAt'],
    source: sourceOf(context),
    identifiers: identifiersOf(wire, context, traits, alias !== undefined),
    properties: isOfTraits ? wire['traits'] : wire['properties'],
    context,
    alias,
    unlink: undefined,
    propertiesMember: isOfTraits ? 'traits' : 'properties',
    contextMember: 'context',
    labels: LABELS,
  }
}

/** Returns `sentAt − originalTimestamp` in microseconds; undefined if one is missing. */
function waitedOf(wire: Wire): number | undefined | Rejection {
  const [originalAt, sentAt] = ['originalTimestamp', 'sentAt'].map((field) => {
    const value = wire[field]
    return isAbsent(value) ? undefined : (parseInstant(value) ?? notAnInstant(field, value))
  })
  if (originalAt === undefined || sentAt === undefined) return undefined
  if (typeof originalAt === 'object') return originalAt
  return typeof sentAt === 'object' ? sentAt : sentAt - originalAt
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null
}

function identifiersOf(wire: Wire, context: unknown, traits: unknown, isAlias: boolean): Wire {
  const isFromDevice = isAlias && isAbsent(wire['anonymousId'])
  const device = isObject(context) ? context['device'] : undefined
  return {
    user_id: wire['userId'],
    email: isObject(traits) ? traits['email'] : undefined,
    anonymous_id: wire[isFromDevice ? 'previousId' : 'anonymousId'],
    device_id: isObject(device) ? device['id'] : undefined,
  }
}

/** Returns the previous identifier, the current one and the condition; undefined for an identify. */
function aliasOf(wire: Wire): unknown {
  const { previousId, userId, anonymousId } = wire
  if (isAbsent(previousId) || isAbsent(userId)) return undefined
  const isOwnDevice = textOf(previousId)?.trim() === textOf(anonymousId)?.trim()
  if (isOwnDevice && textOf(previousId) !== null) return undefined
  const pair = [previousId, userId].map((value) => {
    const text = textOf(value)
    return text === null ? value : `user_id:${text}`
  })
  return [...pair, IF_CARRIED]
}

function sourceOf(context: unknown): unknown {
  if (!isObject(context)) return undefined
  if (typeof context['source'] === 'string') return context['source']
  const library = isObject(context['library']) ? context['library']['name'] : undefined
  return typeof library === 'string' ? sourceOfLibrary(library) : undefined
}

/** Returns the channel that the name of a library means. */
export function sourceOfLibrary(library: string): string {
  if (library.includes('ios') || library.includes('swift')) return 'ios'
  if (library.includes('android') || library.includes('kotlin')) return 'android'
  return library === 'analytics.js' || library.includes('browser') ? 'web' : 'server'
}
