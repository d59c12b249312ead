/**
 * Erasure with `--keep-anonymous`: the same journeys under pseudonyms. Nothing leads back to the
 * person, other people change only as in an erasure, and the events do not come back.
 */

import { expect, test } from 'vitest'
import { parseInstant } from '../../pipeline/base/clock.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { storageOf } from '../../pipeline/duckdb/stored-tables.ts'
import { forget } from '../../pipeline/operations/forget.ts'
import { replayEverything } from '../../pipeline/operations/replay-all.ts'
import { TABLES, type TableName } from '../../pipeline/warehouse/tables.ts'
import { dump, Harness, sorted } from '../support/dump.ts'
import { emptyWarehouse } from '../support/reused-warehouse.ts'

const AT = 1_900_000_000_000_000
const START = (parseInstant('2026-03-01T10:00:00Z') as number) / 1_000

const event = (id: string, minute: number, identifiers: object, more: object = {}) =>
  JSON.stringify({
    event_id: id,
    name: 'A',
    occurred_at: START + minute * 60_000,
    identifiers,
    ...more,
  })

const walk = {
  id: 'walk',
  version: 1,
  initial: 'on',
  states: {
    on: {
      on: { A: [{ target: 'far', guard: { property: 'size', eq: 42 } }, { target: 'on' }] },
      after: { '1h': 'off' },
    },
    far: { on: { A: 'on' } },
    off: { on: { A: 'on' }, effects: [{ type: 'note' }] },
  },
}
const definitions = makeDefinitions({ journeys: [walk] })

const HOME = ['email:ada@home.example', 'user_id:42']
/** Values that identify her in several forms, and values that do not. */
const SAYING = {
  properties: {
    page: 'https://x.example/?e=ada%2Bx%40example.org&again=Ada+X@example.org.',
    customer_id: 42,
    price: 42,
    list: [{ who: 'user_id:42' }, 'Phone', 'phone bill, phoned', null],
    'ada+x@example.org': true,
    reply_to: 'a-1',
  },
  context: { traits: { email: 'ada@home.example' } },
}

/** Ada, with user id 42, alone on a phone and a laptop. */
const ALONE = [
  event('a-3', 0, { anonymous_id: 'phone' }, { context: { device: { id: 'phone' } } }),
  // Same instant: the ids decide the order.
  event('a-2', 1, { anonymous_id: 'phone', user_id: 42 }, { properties: { size: 42 } }),
  event('a-1', 1, { anonymous_id: 'phone', email: 'ada+x@example.org' }),
  event('a-4', 2, { anonymous_id: 'phone', user_id: 42, email: 'ada+x@example.org' }),
  event('a-5', 90, { anonymous_id: 'lap-top(1)', user_id: '42', device_id: 'unknown' }),
  event('a-6', 91, { anonymous_id: 'lap-top(1)' }, SAYING),
  event('a-7', 95, { email: 'ada@home.example' }, { alias: HOME }),
]
const BOB = [event('b-1', 5, { user_id: 'bob' }), event('b-2', 6, { user_id: 'bob' })]

async function told(lines: string[]): Promise<Harness> {
  const harness = new Harness(definitions)
  for (const line of lines) await harness.feed([line])
  return harness
}

async function keepAsNobody({ warehouse }: Harness, user: string, isKept = true) {
  await forget({ warehouse, definitions, user, isKept, isPlan: false, at: AT })
}

/** Returns the events in event order, and every text in the tables except the certificates. */
async function stored({ warehouse }: Harness) {
  const events = await warehouse.query('select * from events order by occurred_at, event_id')
  const texts: string[] = []
  for (const table of Object.keys(TABLES) as TableName[]) {
    if (table === 'erasures' || table === 'releases') continue
    const rows = await warehouse.query(`select * from ${storageOf(table)}`)
    texts.push(
      JSON.stringify(rows, (_, value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString() : value,
      ),
    )
  }
  return { events, text: texts.join('\n').replaceAll('\\"', '"') }
}

/** Replaces texts in a JSON value. */
function renamed<T>(value: T, names: Map<string, string>): T {
  const pattern = new RegExp([...names.keys()].join('|'), 'g')
  const text = JSON.stringify(value).replaceAll(pattern, (name) => names.get(name) as string)
  return JSON.parse(text) as T
}

test('the journeys are the same under pseudonyms, and no text leads back', async () => {
  const harness = await told([...ALONE, ...BOB])
  const [before, was] = [await dump(harness.warehouse), (await stored(harness)).events]
  await keepAsNobody(harness, '42')
  const { events, text } = await stored(harness)
  const names = new Map<string, string>()
  events.forEach((is, n) => {
    names.set(is['event_id'] as string, was[n]?.['event_id'] as string)
    const old = JSON.parse(was[n]?.['identifiers'] as string) as { [name: string]: string }
    const drawn = JSON.parse(is['identifiers'] as string) as { [name: string]: string }
    for (const [namespace, value] of Object.entries(old)) {
      names.set(drawn[namespace] as string, value)
    }
  })
  const tables = Object.entries(renamed(await dump(harness.warehouse), names))
  expect(Object.fromEntries(tables.map(([view, rows]) => [view, sorted(rows)]))).toEqual(before)
  expect(text.match(/\bada\b|"phone"|lap-top|"42"|:42"|\ba-\d/gi)).toEqual(null)
  const visit = events.find((one) => names.get(one['event_id'] as string) === 'a-6')
  expect(renamed(JSON.parse(visit?.['properties'] as string), names)).toEqual({
    page: 'https://x.example/?e=ada+x@example.org&again=ada+x@example.org.',
    customer_id: '42',
    price: 42,
    list: [{ who: 'user_id:42' }, 'phone', 'phone bill, phoned', null],
    'ada+x@example.org': true,
    reply_to: 'a-1',
  })
  expect(await harness.warehouse.query('select kind from erasures')).toEqual([
    { kind: 'pseudonymised' },
  ])
})

/** Ada and Bob share a tablet, and one event identifies both. */
const SHARED = [
  event('s-1', 0, { anonymous_id: 'tablet', user_id: 'ada' }),
  event('s-2', 10, { anonymous_id: 'tablet' }),
  event('s-3', 20, { anonymous_id: 'tablet', user_id: 'bob', email: 'bob@example.org' }),
  event('s-4', 80, { anonymous_id: 'tablet' }),
  event('s-5', 90, { user_id: 'ada', email: 'bob@example.org' }),
  event('s-6', 200, { anonymous_id: 'tablet', user_id: 'ada' }),
]

test('other people change as in an erasure, and share nothing with the pseudonym', async () => {
  const [kept, gone] = [await told(SHARED), await told(SHARED)]
  await keepAsNobody(kept, 'ada')
  await keepAsNobody(gone, 'ada', false)
  const isNobodys = (row: object) => JSON.stringify(row).includes('nobody-')
  const [whole, rest] = [await dump(kept.warehouse), await dump(gone.warehouse)]
  for (const [view, rows] of Object.entries(whole)) {
    const others = rows.filter((row) => !isNobodys(row))
    expect({ view, rows: others }).toEqual({ view, rows: rest[view] })
  }
  // Three events that name Ada and the visit in between; one of them also has a pseudonym for Bob.
  expect(whole['event_profiles']?.filter(isNobodys)).toHaveLength(4)
  const nobodies = whole['identities']?.filter(isNobodys) ?? []
  const namespaces = nobodies.map(({ namespace }) => namespace)
  expect(namespaces.sort()).toEqual(['anonymous_id', 'email', 'user_id'])
})

test('redelivered events stay erased, and the tables can be derived again', async () => {
  const harness = await told([...ALONE, ...SHARED])
  await keepAsNobody(harness, 'ada')
  await keepAsNobody(harness, '42')
  harness.restart()
  const before = await dump(harness.warehouse)
  const outcome = await harness.feed([...ALONE, ...SHARED])
  expect(outcome).toMatchObject({ landed: 0, duplicates: 2, erased: 11 })
  expect(await dump(harness.warehouse)).toEqual(before)
  const again = emptyWarehouse()
  await again.open()
  await replayEverything({ warehouse: harness.warehouse, scratch: again, definitions })
  expect(await dump(again)).toEqual(before)
  // A pseudonym can be erased like any person.
  const [nobody] = await harness.warehouse.query(
    "select profile_id from sessions where profile_id like 'user_id:nobody%' limit 1",
  )
  await keepAsNobody(harness, nobody?.['profile_id'] as string, false)
  const counts = await harness.warehouse.query('select kind from erasures order by recorded_by')
  expect(counts.map(({ kind }) => kind)).toEqual(['pseudonymised', 'pseudonymised', 'erased'])
})

test('pseudonyms replace the hashes of hashed namespaces in properties too', async () => {
  const hashed = makeDefinitions({ identity: { hashed: ['email'] }, journeys: [walk] })
  const harness = new Harness(hashed)
  const { warehouse } = harness
  const said = { properties: { reply_to: ' ada@example.org', cc: 'adam@example.org' } }
  await harness.feed([event('h-1', 0, { user_id: 'ada', email: 'ada@example.org' }, said)])
  const how = { isKept: true, isPlan: false, at: AT, hashKey: 'test' }
  await forget({ warehouse, definitions: hashed, user: 'ada', ...how })
  const [row] = await warehouse.query('select identifiers, properties from events')
  const { email } = JSON.parse(row?.['identifiers'] as string) as { email: string }
  expect(email).toMatch(/^nobody-/)
  expect(JSON.parse(row?.['properties'] as string)).toEqual({
    reply_to: ` ${email}`,
    cc: 'adam@example.org',
  })
})
