/** Native wire format: the canonical event as JSON. */

import type { Unjudged } from './wire-event.ts'
import type { Wire } from '../base/json.ts'

const MEMBERS = ['event_id', 'occurred_at', 'identifiers']
const LABELS = { eventId: 'event_id', name: 'name', occurredAt: 'occurred_at' }

/** Returns whether the object has a member that only this format has. */
export function isNative(wire: Wire): boolean {
  return MEMBERS.some((member) => Object.hasOwn(wire, member))
}

export function readNative(wire: Wire): Unjudged {
  return {
    eventId: wire['event_id'],
    name: wire['name'],
    occurredAt: wire['occurred_at'],
    waited: undefined,
    ordinal: wire['ordinal'],
    receivedAt: wire['received_at'],
    source: wire['source'],
    identifiers: wire['identifiers'],
    properties: wire['properties'],
    context: wire['context'],
    alias: wire['alias'],
    unlink: wire['unlink'],
    propertiesMember: 'properties',
    contextMember: 'context',
    labels: LABELS,
  }
}
