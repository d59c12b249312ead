/**
 * Identity corrections. A correction is an ordinary event with an `alias` or an `unlink`, so the
 * pipeline applies it retroactively like any other.
 *
 * The event occurs at the watermark, after all other events of that instant. A later time would
 * trigger timeouts; an earlier one would leave later links in place.
 */

import { Pipeline } from '../microbatch/pipeline.ts'
import { now } from '../base/clock.ts'
import type { Definitions } from '../definition/load.ts'
import { assert, UserError } from '../base/errors.ts'
import { IdentifierReader, splitIdentifier, landedValue } from '../decode/identifier-values.ts'
import { uuidOf } from '../base/hash.ts'
import { StoredDecoder } from '../decode/stored-decoder.ts'
import { storedBatch } from './stored-events.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'

export type CorrectionKind = 'link' | 'unlink'

/** Current profile of an identifier, and the number of events of that profile. */
export type IdentifierProfile = { identifier: string; profileId: string; eventCount: number }

export const CORRECTION_NAME = 'Identity Corrected'
/** Larger than any ordinal of a sender. Adding the batch number orders corrections at one
 * watermark. */
const ORDINAL_FROM = 2 ** 52

/** Returns both identifiers as stored, each with its current profile. Throws a `UserError` for an
 * identifier that cannot be corrected. */
export async function profilesOf(
  warehouse: Warehouse,
  { identity }: Definitions,
  given: readonly [string, string],
): Promise<[IdentifierProfile, IdentifierProfile]> {
  const reader = new IdentifierReader({ ...identity, hashed: [] }, undefined)
  const profiles: IdentifierProfile[] = []
  for (const text of given) {
    const [namespace, value] = splitIdentifier(text.trim()) ?? ['', '']
    if (!identity.person.includes(namespace)) {
      const known = identity.person.join(', ')
      throw new UserError(
        `${text} is not a person identifier: use NAMESPACE:VALUE with a namespace of ${known}`,
        2,
      )
    }
    if (reader.isPlaceholder(value.trim())) {
      throw new UserError(
        `${text} is on the ignore list, so it identifies no one: use another identifier`,
        2,
      )
    }
    const landed = landedValue(identity, namespace, value.trim())
    const [row] = await warehouse.query(
      `select identities.profile_id, count(event_id) as events
       from identities left join event_profiles
         on event_profiles.profile_id = identities.profile_id
       where namespace = ? and value = ? group by identities.profile_id`,
      [namespace, landed],
    )
    if (row === undefined) {
      throw new UserError(
        `${text} does not occur in ${warehouse.url}: check the value, or read its events first ` +
          'with npm start',
      )
    }
    profiles.push({
      identifier: `${namespace}:${landed}`,
      profileId: row['profile_id'] as string,
      eventCount: row['events'] as number,
    })
  }
  const [a, b] = profiles as [IdentifierProfile, IdentifierProfile]
  if (a.identifier === b.identifier) {
    throw new UserError(`${given[0]} was given twice: use two different identifiers`, 2)
  }
  return [a, b]
}

/** Processes the correction as a batch of one event, and returns the id of the event. */
export async function correctIdentity(
  warehouse: Warehouse,
  definitions: Definitions,
  kind: CorrectionKind,
  pair: readonly [string, string],
): Promise<string> {
  const pipeline = await Pipeline.open(warehouse, definitions)
  const { watermark, batch } = pipeline.head
  const at = watermark ?? now()
  const receivedAt = Math.max(now(), at)
  const eventId = `correction-${uuidOf([kind, ...pair, batch].join('\n'))}`
  const [namespace, value] = splitIdentifier(pair[0]) ?? ['', '']
  const event = {
    event_id: eventId,
    name: CORRECTION_NAME,
    occurred_at: at,
    ordinal: ORDINAL_FROM + batch,
    received_at: receivedAt,
    source: 'correction',
    identifiers: JSON.stringify({ [namespace]: value }),
    properties: '{}',
    context: '{}',
    [kind === 'link' ? 'alias' : 'unlink']: JSON.stringify(pair),
  }
  const decoder = new StoredDecoder(definitions.identity, pipeline.compiled.operandPaths)
  const decoded = storedBatch([event], decoder)
  const outcome = await pipeline.advance(decoded, { origin: 'correction', receivedAt: now() })
  assert(outcome.landed === 1, 'a correction lands as one event')
  return eventId
}
