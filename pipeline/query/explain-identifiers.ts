/**
 * Identifiers of a profile, each with the first event that links it to another; and the lookup of a
 * profile by an identifier.
 */

import { landedValue, splitIdentifier } from '../decode/identifier-values.ts'
import { formatInstant } from '../base/clock.ts'
import { UserError } from '../base/errors.ts'
import type { Identity } from '../definition/settings.ts'
import { believed } from './as-of.ts'
import { namespaceOf } from '../base/identifier.ts'
import type { Row, Warehouse } from '../warehouse/warehouse.ts'

export type KnownIdentifier = {
  identifier: string
  firstSeenAt: number
  lastSeenAt: number
  eventCount: number
  /** Null if no event names it together with another. */
  linkedBy: { eventId: string; name: string; occurredAt: number; with: string } | null
}

/** Returns the identifiers. `rows` are of `identities`; `events` are the profile's, in event order. */
export function identifiersOf(
  rows: readonly Row[],
  identity: Identity,
  events: readonly Row[],
): KnownIdentifier[] {
  const own = new Set(rows.map((row) => row['identifier'] as string))
  const isPerson = (name: string) => identity.person.includes(namespaceOf(name))
  const links = new Map<string, KnownIdentifier['linkedBy']>()
  for (const event of events) {
    const named = namesIn(event)
    for (const name of named) {
      const other = named.find((one) => one !== name && own.has(one) && isPerson(one))
      if (!own.has(name) || other === undefined || links.has(name)) continue
      links.set(name, {
        eventId: event['event_id'] as string,
        name: event['name'] as string,
        occurredAt: event['occurred_at'] as number,
        with: other,
      })
    }
  }
  return rows.map((row) => ({
    identifier: row['identifier'] as string,
    firstSeenAt: row['first_seen_at'] as number,
    lastSeenAt: row['last_seen_at'] as number,
    eventCount: row['event_count'] as number,
    linkedBy: links.get(row['identifier'] as string) ?? null,
  }))
}

function namesIn(event: Row): string[] {
  const identifiers = JSON.parse(event['identifiers'] as string) as { [namespace: string]: string }
  const alias = JSON.parse((event['alias'] as string | null) ?? '[]') as string[]
  const names = Object.entries(identifiers).map(([namespace, value]) => `${namespace}:${value}`)
  return [...names, ...alias]
}

/** Returns the profile of an identifier: `namespace:value`, or a value of any person namespace. */
export async function profileOf(
  warehouse: Warehouse,
  identity: Identity,
  user: string,
  asOf: number | null,
): Promise<string> {
  const found = new Map<string, string>()
  for (const [namespace, value] of meanings(identity, user)) {
    const rows = await warehouse.query(
      `select distinct profile_id from ${believed(warehouse, 'identities', asOf)}
       where namespace = ? and value = ? order by profile_id`,
      [namespace, landedValue(identity, namespace, value)],
    )
    for (const row of rows) found.set(row['profile_id'] as string, `${namespace}:${value}`)
  }
  const [profile] = found.keys()
  if (profile !== undefined && found.size === 1) return profile
  if (profile === undefined) {
    const then = asOf === null ? '' : ` at ${formatInstant(asOf)}`
    const known = [...identity.person, ...identity.device].join(', ')
    throw new UserError(
      `--user ${user} matches no profile${then}: use a value of ${identity.person.join(', ')}, ` +
        `or NAMESPACE:VALUE with a namespace of ${known}`,
    )
  }
  const several = [...found].map(([id, how]) => (id === how ? id : `${id} (${how})`)).join(', ')
  throw new UserError(`--user ${user} matches ${found.size} profiles: use one of ${several}`)
}

function meanings(identity: Identity, user: string): [namespace: string, value: string][] {
  const split = splitIdentifier(user)
  const declared = [...identity.person, ...identity.device]
  if (split !== null && declared.includes(split[0])) return [[split[0], split[1].trim()]]
  return identity.person.map((namespace) => [namespace, user.trim()])
}
