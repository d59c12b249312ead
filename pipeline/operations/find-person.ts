/**
 * Finds what belongs to a person who is to be erased, in the state store and the events.
 *
 * The identifiers are the person identifiers of the profile, and the devices that no remaining
 * event carries. The events are those of the profile, and any other event whose identifiers, alias
 * or unlink contain one of the person identifiers.
 */

import type { ErasedPersons } from '../microbatch/suppression-list.ts'
import { UserError } from '../base/errors.ts'
import { kindOfAlias, type Alias } from '../base/identifier.ts'
import { HASH_KEY_VARIABLE } from '../decode/hash-key.ts'
import { splitIdentifier, type IdentifierReader } from '../decode/identifier-values.ts'
import type { AllImages } from '../microbatch/image-cache.ts'
import type { Compiled } from '../definition/compile.ts'
import type { PlacedCorrection } from '../microbatch/identity-pairs.ts'
import type { Row, Warehouse } from '../warehouse/warehouse.ts'

export type Person = {
  profileId: string
  /** Person identifiers, then devices. */
  persons: string[]
  devices: string[]
  events: Set<string>
  /** The same events as rows of `events`, with the columns requested. */
  rows: Row[]
  /** Ids of the events that carry none of the identifiers. */
  unmarked: string[]
  streams: string[]
}

/** Devices counted by one query. */
const DEVICES_MAX = 500

export type Place = { warehouse: Warehouse; compiled: Compiled; images: AllImages }

/** Finds the person. Throws a `UserError` if nobody or more than one person matches. */
export async function findPerson(
  place: Place,
  user: string,
  reader: IdentifierReader,
  columns = 'event_id, identifiers, alias, unlink',
): Promise<Person> {
  const { profileId, persons } = await personOf(place, user, reader)
  const { warehouse } = place
  const isHis = [
    'event_id in (select event_id from event_profiles where profile_id = ?)',
    ...persons.flatMap(() => [isIn('identifiers', '?'), isIn('alias', '?'), isIn('unlink', '?')]),
  ].join(' or ')
  const named = persons.flatMap((name) => {
    const quoted = JSON.stringify(name)
    return [memberOf(name), quoted, quoted]
  })
  const found = await warehouse.query(`select ${columns} from events where ${isHis}`, [
    profileId,
    ...named,
  ])
  if (found.length === 0) {
    throw new UserError(`profile ${profileId} has no stored events`)
  }
  const events = new Set(found.map((row) => row['event_id'] as string))
  const devices = await ownDevices(place, found, reader)
  const own = new Set([...persons, ...devices])
  const streams = await warehouse.query(
    `select distinct stream from sessions where session_id in (select session_id
       from event_profiles where event_id in (select event_id from events where ${isHis}))`,
    [profileId, ...named],
  )
  return {
    profileId,
    persons,
    devices,
    events,
    rows: found,
    unmarked: found
      .filter((row) => !mentioned(row).some((name) => own.has(name)))
      .map((row) => row['event_id'] as string),
    streams: streams.map((row) => row['stream'] as string),
  }
}

/** Resolves a value of a person namespace, or `namespace:value`, to its profile. */
async function personOf({ compiled, images }: Place, user: string, reader: IdentifierReader) {
  const namespaces = compiled.identity.person
  const candidates = reader.namesOf(user, namespaces)
  await images.identifier.load(candidates)
  const known = candidates.filter((name) => images.identifier.get(name) !== undefined)
  const profiles = new Set(known.map((name) => images.identifier.get(name)?.profile as string))
  const [profileId] = profiles
  if (profileId === undefined) {
    const isHashed = compiled.identity.hashed.length > 0
    throw new UserError(
      `--user ${user} matches no person: use a value of ${namespaces.join(' or ')}, or ` +
        `NAMESPACE:VALUE${isHashed ? `, with the same ${HASH_KEY_VARIABLE} as the runs` : ''}`,
    )
  }
  if (profiles.size > 1) {
    throw new UserError(
      `--user ${user} matches ${profiles.size} people: use one of ${known.join(', ')}`,
    )
  }
  const keys = known.flatMap((name) => images.identifier.get(name)?.component ?? [])
  await images.component.load(keys)
  const members = new Set([
    ...known,
    ...keys.flatMap((key) => images.component.get(key)?.members ?? []),
  ])
  await images.identifier.load(members)
  const persons = [...members].filter((name) => images.identifier.get(name)?.profile === profileId)
  return { profileId, persons }
}

/** SQL condition: the JSON of a column contains a text. JSON is always stored in one notation. */
function isIn(column: string, text: string): string {
  return `strpos(cast(${column} as string), ${text}) > 0`
}

/** Returns an identifier as a member of the `identifiers` JSON. */
function memberOf(identifier: string): string {
  const [namespace, value] = splitIdentifier(identifier) ?? []
  return `${JSON.stringify(namespace)}:${JSON.stringify(value)}`
}

/** Returns the devices of the events that no other event carries. */
async function ownDevices(
  { warehouse, compiled }: Place,
  found: Row[],
  reader: IdentifierReader,
): Promise<string[]> {
  const carried = new Map<string, number>()
  for (const name of found.flatMap((row) => identifiersOf(row))) {
    const [namespace = '', value = ''] = splitIdentifier(name) ?? []
    if (!compiled.identity.device.includes(namespace) || reader.isPlaceholder(value)) continue
    carried.set(name, (carried.get(name) ?? 0) + 1)
  }
  const devices: string[] = []
  const names = [...carried.keys()]
  for (let from = 0; from < names.length; from += DEVICES_MAX) {
    const some = names.slice(from, from + DEVICES_MAX)
    const counts = some.map((_, n) => `countif(${isIn('identifiers', '?')}) as of_${n}`)
    const [row] = await warehouse.query(
      `select ${counts.join(', ')} from events`,
      some.map((name) => memberOf(name)),
    )
    devices.push(...some.filter((name, n) => row?.[`of_${n}`] === carried.get(name)))
  }
  return devices
}

function identifiersOf(row: Row): string[] {
  const identifiers = JSON.parse(row['identifiers'] as string) as { [namespace: string]: string }
  return Object.entries(identifiers).map(([namespace, value]) => `${namespace}:${value}`)
}

/** Returns the identifiers that an event carries, links or unlinks. */
function mentioned(row: Row): string[] {
  const pairs = [row['alias'], row['unlink']].flatMap((text) =>
    typeof text === 'string' ? (JSON.parse(text) as string[]) : [],
  )
  return [...identifiersOf(row), ...pairs]
}

/** Returns the ids of dead letters that contain an erased person. */
export async function lettersOf(warehouse: Warehouse, erased: ErasedPersons): Promise<string[]> {
  const letters: string[] = []
  for await (const rows of warehouse.stream('select dead_letter_id, raw from dead_letters')) {
    for (const row of rows) {
      if (erased.isIn(row['raw'] as Uint8Array)) letters.push(row['dead_letter_id'] as string)
    }
  }
  return letters
}

/** Returns the aliases and unlinks of the remaining events, and the identifiers in erased ones. */
export async function correctionsOf(warehouse: Warehouse, erased: ReadonlySet<string>) {
  const rows = await warehouse.query(
    `select event_id, occurred_at, ordinal, alias, unlink from events
     where alias is not null or unlink is not null`,
  )
  const remaining: PlacedCorrection[] = []
  const named: string[] = []
  for (const row of rows) {
    const eventId = row['event_id'] as string
    for (const kind of ['alias', 'unlink'] as const) {
      if (typeof row[kind] !== 'string') continue
      const pair = JSON.parse(row[kind]) as Alias
      const [a, b] = pair
      if (erased.has(eventId)) {
        named.push(a, b)
        continue
      }
      const place = [row['occurred_at'] as number, row['ordinal'] as number, eventId] as const
      const said = kind === 'alias' ? kindOfAlias(pair) : kind
      remaining.push({ place: [...place], kind: said, a, b })
    }
  }
  return { remaining, named }
}
