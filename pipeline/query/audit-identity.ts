/** Identity audit: largest profiles, devices of several people, refused links, blocked values. */

import { IdentifierReader } from '../decode/identifier-values.ts'
import type { Identity } from '../definition/settings.ts'
import { marksOf } from '../warehouse/parameters.ts'
import type { Row, Warehouse } from '../warehouse/warehouse.ts'

const SHOWN_MAX = 10
/** Distinct blocked values that are counted. */
const BLOCKED_MAX = 1_000

export type Audit = {
  /** `profile_id`, `identifiers` (of person namespaces), `devices`. */
  largestPersons: Row[]
  /** `device`, `persons`, `events`. */
  contestedDevices: Row[]
  refusedCount: number
  /** `kept`, `refused`, `event_id`, `occurred_at`; newest first. */
  refusedLinks: Row[]
  /** The most frequent values of the ignore list that events carry. */
  blockedValues: { identifier: string; events: number }[]
}

export async function auditIdentity(warehouse: Warehouse, identity: Identity): Promise<Audit> {
  const [person, device] = [orPlaceholder(identity.person), orPlaceholder(identity.device)]
  const isPerson = `namespace in (${marksOf(person)})`
  const largestPersons = await warehouse.query(
    `select profile_id, count(case when ${isPerson} then 1 end) as identifiers,
       count(case when not ${isPerson} then 1 end) as devices
     from identities group by profile_id having count(case when ${isPerson} then 1 end) > 0
     order by identifiers desc, devices desc, profile_id limit ${SHOWN_MAX}`,
    [...person, ...person, ...person],
  )
  const contestedDevices = await warehouse.query(
    `select carried.namespace || ':' || carried.value as device,
       count(distinct carried.profile_id) as persons, sum(carried.event_count) as events
     from identities as carried
     inner join (select distinct profile_id from identities where ${isPerson}) as person
       on person.profile_id = carried.profile_id
     where carried.namespace in (${marksOf(device)})
     group by carried.namespace, carried.value having count(distinct carried.profile_id) > 1
     order by persons desc, events desc, device limit ${SHOWN_MAX}`,
    [...person, ...device],
  )
  const [refused] = await warehouse.query('select count(*) as links from identity_conflicts')
  const refusedLinks = await warehouse.query(
    `select kept, refused, event_id, occurred_at from identity_conflicts
     order by occurred_at desc, kept, refused limit ${SHOWN_MAX}`,
  )
  return {
    largestPersons,
    contestedDevices,
    refusedCount: refused?.['links'] as number,
    refusedLinks,
    blockedValues: await blockedValues(warehouse, identity),
  }
}

/** SQL lists need at least one element, so an empty list becomes a namespace that never occurs. */
function orPlaceholder(namespaces: readonly string[]): string[] {
  return namespaces.length === 0 ? [''] : [...namespaces]
}

async function blockedValues(warehouse: Warehouse, identity: Identity) {
  const reader = new IdentifierReader({ ...identity, hashed: [] }, undefined)
  const declared = new Set([...identity.person, ...identity.device])
  const counts = new Map<string, number>()
  for await (const chunk of warehouse.stream('select identifiers from events')) {
    for (const row of chunk) {
      const identifiers = JSON.parse(row['identifiers'] as string) as { [name: string]: string }
      for (const [namespace, value] of Object.entries(identifiers)) {
        if (!declared.has(namespace) || !reader.isPlaceholder(value)) continue
        const name = `${namespace}:${value}`
        const known = counts.get(name)
        if (known === undefined && counts.size >= BLOCKED_MAX) continue
        counts.set(name, (known ?? 0) + 1)
      }
    }
  }
  return [...counts]
    .map(([identifier, events]) => ({ identifier, events }))
    .sort((a, b) => b.events - a.events || (a.identifier < b.identifier ? -1 : 1))
    .slice(0, SHOWN_MAX)
}
