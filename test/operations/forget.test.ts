/**
 * Erasure of one of several people: no table except the certificate contains her afterwards, and
 * rows of other people stay. `test/laws/forget.test.ts` has the laws on random histories.
 */

import { expect, test } from 'vitest'
import { arrowTable } from '../../pipeline/warehouse/arrow/arrow.ts'
import { parseInstant } from '../../pipeline/base/clock.ts'
import { failedChecks } from '../../pipeline/warehouse/integrity-checks.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { forget } from '../../pipeline/operations/forget.ts'
import { TABLES, type TableName } from '../../pipeline/warehouse/tables.ts'
import { storageOf } from '../../pipeline/duckdb/stored-tables.ts'
import type { Erasure } from '../../pipeline/warehouse/warehouse.ts'
import { dump, Harness } from '../support/dump.ts'

const at = (n: number) => 1_900_000_000_000_000 + n

const event = (id: string, minute: number, identifiers: object, more: object = {}) =>
  JSON.stringify({
    event_id: id,
    name: 'A',
    occurred_at: (parseInstant('2026-03-01T10:00:00Z') as number) / 1_000 + minute * 60_000,
    identifiers,
    ...more,
  })

/** Ada has her own phone and shares a tablet with Bob. */
const LINES = [
  event('x1', 0, { anonymous_id: 'tablet' }),
  event('x2', 1, { anonymous_id: 'tablet', user_id: 'ada', email: 'ada@example.org' }),
  event('x3', 2, { anonymous_id: 'tablet', user_id: 'bob' }),
  event('x4', 50, { anonymous_id: 'tablet' }),
  event('x5', 90, { anonymous_id: 'phone' }),
  event('x6', 91, { anonymous_id: 'phone', user_id: 'ada' }),
  event('x7', 140, { anonymous_id: 'tablet', user_id: 'ada' }),
  event('x8', 200, { anonymous_id: 'tablet' }),
  '{"event_id":"x9","name":"A","identifiers":{"user_id":"ada"}}',
  '{"event_id":"x10","name":"A","identifiers":{"user_id":"adam"}}',
]
const journey = {
  id: 'walk',
  version: 1,
  initial: 'on',
  states: { on: { on: { A: 'on' }, after: { '1h': 'off' } }, off: { on: { A: 'on' } } },
}
const definitions = makeDefinitions({ journeys: [journey] })

async function told(lines: string[], under = definitions): Promise<Harness> {
  const harness = new Harness(under)
  for (const line of lines) await harness.feed([line])
  return harness
}

test('no table except the certificate contains the person afterwards', async () => {
  const harness = await told(LINES)
  const { warehouse } = harness
  const columns = {
    cohort: ['c', 'c'],
    version: [1, 1],
    profile_id: ['user_id:ada', 'user_id:bob'],
    change: ['entered', 'entered'],
    reason: ['first run', 'first run'],
    evaluated_at: [at(0), at(0)],
  }
  const head = await warehouse.open()
  await warehouse.commit({
    batch: head.batch + 1,
    recordedAt: head.recordedAt + 1,
    inserts: new Map([['cohort_changes', arrowTable('cohort_changes', columns, 2)]]),
    supersedes: new Map(),
    images: new Map(),
  })
  await forget({ warehouse, definitions, user: 'ada', isKept: false, isPlan: false, at: at(0) })
  for (const table of Object.keys(TABLES) as TableName[]) {
    const rows = await warehouse.query(`select * from ${storageOf(table)}`)
    const text = JSON.stringify(rows, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString() : value,
    )
    expect({ table, found: text.match(/\bada\b|phone|\bx(1|2|5|6|7|8|9)\b/g) }).toEqual({
      table,
      found: null,
    })
  }
  const changes = await warehouse.query('select profile_id from cohort_changes')
  expect(changes).toEqual([{ profile_id: 'user_id:bob' }])
  const letters = await warehouse.query('select detail from dead_letters')
  expect(letters).toHaveLength(1)
  expect(await warehouse.query('select recorded_at from erasures')).toEqual([
    { recorded_at: at(0) },
  ])
})

test('redelivered events stay erased and are counted', async () => {
  const harness = await told(LINES.slice(0, 9))
  const { warehouse } = harness
  const user = 'email:ada@example.org'
  await forget({ warehouse, definitions, user, isKept: false, isPlan: false, at: at(0) })
  harness.restart()
  const before = await dump(warehouse)
  const outcome = await harness.feed(LINES.slice(0, 9))
  expect({ ...outcome, refused: outcome.refused.size }).toMatchObject({
    read: 9,
    landed: 0,
    duplicates: 2,
    erased: 7,
    refused: 0,
  })
  expect(await dump(warehouse)).toEqual(before)
  expect(await warehouse.query('select * from dead_letters')).toEqual([])
  const never = await told([LINES[2] as string, LINES[3] as string])
  const [head] = await warehouse.query('select max(watermark) as at from batches')
  await never.feed([], head?.['at'] as number)
  expect(before).toEqual(await dump(never.warehouse))
})

test('an event of another person that names the erased one is dropped', async () => {
  const harness = await told(LINES)
  const { warehouse } = harness
  await forget({ warehouse, definitions, user: 'ada', isKept: false, isPlan: false, at: at(0) })
  harness.restart()
  for (const member of ['alias', 'unlink']) {
    const pair = { [member]: ['user_id:bob', 'email:ada@example.org'] }
    const outcome = await harness.feed([event(member, 300, { user_id: 'bob' }, pair)])
    expect(outcome).toMatchObject({ landed: 0, erased: 1 })
  }
})

test('another person who loses an event keeps the timeout of the others', async () => {
  const bob = { user_id: 'bob' }
  const unlink = ['user_id:bob', 'email:ada@example.org']
  const last = event('x12', 4, bob)
  const harness = await told([LINES[1] as string, event('x11', 3, bob, { unlink }), last])
  const { warehouse } = harness
  await forget({ warehouse, definitions, user: 'ada', isKept: false, isPlan: false, at: at(0) })
  harness.restart()
  const later = parseInstant('2026-03-01T12:00:00Z') as number
  await harness.feed([], later)
  const never = await told([last])
  await never.feed([], later)
  const timeouts = await warehouse.query("select cause from transitions where cause = 'timeout'")
  expect(timeouts).toHaveLength(1)
  expect(await dump(warehouse)).toEqual(await dump(never.warehouse))
})

test('passes the deadlines of profiles in microseconds, and null without one', async () => {
  const bob = { user_id: 'bob' }
  const unlink = ['user_id:bob', 'email:ada@example.org']
  const own = event('x12', 4, bob)
  const { warehouse } = await told([LINES[1] as string, event('x11', 3, bob, { unlink }), own])
  let dues: Erasure['dues'] = []
  const erase = warehouse.erase.bind(warehouse)
  warehouse.erase = (commit, erasure, ...more) => {
    dues = erasure.dues
    return erase(commit, erasure, ...more)
  }
  await forget({ warehouse, definitions, user: 'ada', isKept: false, isPlan: false, at: at(0) })
  expect(dues.toSorted((a, b) => (a.profile < b.profile ? -1 : 1))).toEqual([
    { profile: 'user_id:ada', due: null },
    { profile: 'user_id:bob', due: parseInstant('2026-03-01T11:04:00Z') },
  ])
})

test('names an unknown person and changes nothing', async () => {
  const { warehouse } = await told(LINES)
  const options = { warehouse, definitions, isKept: false, isPlan: false, at: at(0) }
  await expect(forget({ ...options, user: 'eve' })).rejects.toThrow('--user eve matches no person')
})

test('versions of other people stay unchanged', async () => {
  const others = [
    event('y1', 0, { anonymous_id: 'desk', user_id: 'cy' }),
    event('y2', 30, { anonymous_id: 'desk' }),
    event('y3', 95, { anonymous_id: 'desk', user_id: 'di' }),
    event('y4', 10, { anonymous_id: 'desk' }),
    event('y5', 96, { user_id: 'di', email: 'di@example.org' }),
  ]
  const { warehouse } = await told([...LINES, ...others])
  const views = Object.values(TABLES).flatMap((spec) => ('versions' in spec ? [spec] : []))
  const versions = async (condition: string) => {
    const rows: unknown[] = []
    for (const { versions: view, columns } of views) {
      if (!columns.some(({ name }) => name === 'profile_id')) continue
      rows.push(await warehouse.query(`select * from ${view} where ${condition} order by all`))
    }
    return rows.flat()
  }
  const untouched = "profile_id in ('user_id:cy', 'user_id:di')"
  const before = await versions(untouched)
  expect(before.length).toBeGreaterThan(20)
  await forget({ warehouse, definitions, user: 'ada', isKept: false, isPlan: false, at: at(0) })
  expect(await versions(untouched)).toEqual(before)
  // Without Ada's sign-in, nothing splits Bob's session.
  expect(await versions("superseded_because = 'rebuilt'")).toMatchObject([
    { session_id: 'x3', profile_id: 'user_id:bob', started_because: 'person' },
  ])
})

test('an effect of the person that was retracted for another leaves no row', async () => {
  const note = {
    id: 'note',
    version: 1,
    initial: 'off',
    states: {
      off: { on: { A: { target: 'on', effects: [{ type: 'note' }] } } },
      on: { on: { B: 'off' }, ignore: ['A'] },
    },
  }
  const [tablet, bob] = [{ anonymous_id: 'tablet' }, { user_id: 'bob' }]
  const lines = [
    event('z1', 0, { ...tablet, user_id: 'ada' }, { name: 'C' }),
    // This is Ada; an effect is sent to her.
    event('z2', 120, tablet),
    // Late: it was Bob.
    event('z3', 60, { ...tablet, ...bob }, { name: 'C' }),
    // Late: Bob has the effect already, so this one is retracted.
    event('z4', 90, bob),
  ]
  const { warehouse } = await told(lines, makeDefinitions({ journeys: [note] }))
  const outbox = () =>
    warehouse.query('select kind, profile_id from effects order by recorded_by, kind desc')
  expect(await outbox()).toEqual([
    { kind: 'effect', profile_id: 'user_id:ada' },
    { kind: 'retraction', profile_id: 'user_id:bob' },
    { kind: 'effect', profile_id: 'user_id:bob' },
  ])
  const under = makeDefinitions({ journeys: [note] })
  const how = { user: 'ada', isKept: false, isPlan: false, at: at(0) }
  await forget({ warehouse, definitions: under, ...how })
  expect(await outbox()).toEqual([{ kind: 'effect', profile_id: 'user_id:bob' }])
  expect((await failedChecks(warehouse)).failed).toEqual([])
})
