/**
 * A correction of who is who, as an event like any other: an `alias` or an `unlink` that goes
 * through the pipeline and takes effect backwards.
 *
 * It occurs at the watermark, after everything there: later, and it would decide timeouts;
 * earlier, and an unlink would not reach the links after it.
 */

import { Pipeline } from '../microbatch/pipeline.ts'
import { formatInstant, now } from '../base/clock.ts'
import type { Definitions } from '../definition/load.ts'
import { assert, UserError } from '../base/errors.ts'
import { IdentifierReader, splitIdentifier, landedValue } from '../decode/identifier-values.ts'
import { uuidOf } from '../base/hash.ts'
import { landedDecoder } from './stored-events.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'

export type CorrectionKind = 'link' | 'unlink'

/** Who an identifier is of now. */
export type Standing = { identifier: string; profileId: string; eventCount: number }

export const CORRECTION_NAME = 'Identity Corrected'
/** Above any ordinal of a sender; corrections of one watermark follow one another by batch. */
const ORDINAL_FROM = 2 ** 52

/** The two identifiers as landed, and whose they are. Throws when one cannot be corrected. */
export async function standingsOf(
  warehouse: Warehouse,
  { identity }: Definitions,
  given: readonly [string, string],
): Promise<[Standing, Standing]> {
  const reader = new IdentifierReader({ ...identity, hashed: [] }, undefined)
  const standings: Standing[] = []
  for (const text of given) {
    const [namespace, value] = splitIdentifier(text.trim()) ?? ['', '']
    if (!identity.person.includes(namespace)) {
      const known = identity.person.join(', ')
      throw new UserError(`${text} is no person identifier: write namespace:value, of ${known}`, 2)
    }
    if (reader.saysNothing(value.trim())) {
      throw new UserError(`${text} is on the ignore list and says nothing about who`, 2)
    }
    const landed = landedValue(identity, namespace, value.trim())
    const [row] = await warehouse.query(
      `select identities.profile_id, count(event_id) as events
       from identities left join event_profiles
         on event_profiles.profile_id = identities.profile_id
       where namespace = $1 and value = $2 group by identities.profile_id`,
      [namespace, landed],
    )
    if (row === undefined) throw new UserError(`${text} is on no event of ${warehouse.url}`)
    standings.push({
      identifier: `${namespace}:${landed}`,
      profileId: row['profile_id'] as string,
      eventCount: row['events'] as number,
    })
  }
  const [a, b] = standings as [Standing, Standing]
  if (a.identifier === b.identifier) throw new UserError(`${given[0]} is both: give two`, 2)
  return [a, b]
}

/** Feeds the event, and returns its id. */
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
  const line = JSON.stringify({
    event_id: eventId,
    name: CORRECTION_NAME,
    occurred_at: formatInstant(at),
    ordinal: ORDINAL_FROM + batch,
    received_at: formatInstant(receivedAt),
    source: 'correction',
    identifiers: { [namespace]: value },
    [kind === 'link' ? 'alias' : 'unlink']: pair,
  })
  const decoder = landedDecoder(definitions.identity, pipeline.compiled.operandPaths)
  const decoded = decoder.decode(new TextEncoder().encode(line), receivedAt)
  const outcome = await pipeline.advance(decoded, { origin: 'correction', receivedAt: now() })
  assert(outcome.landed === 1, 'a correction is an event that lands')
  return eventId
}
