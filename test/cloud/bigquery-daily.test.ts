/**
 * Daily tools on the BigQuery emulator: after a replay, a promotion, a rollback and an erasure,
 * BigQuery has the same rows as DuckDB, version by version.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bigqueryWarehouse } from '../../pipeline/bigquery/warehouse.ts'
import { instantOf } from '../../pipeline/config.ts'
import { physicalTables } from '../../pipeline/bigquery/schema.ts'
import { makeDefinitions, type Definitions } from '../../pipeline/definition/load.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { forget } from '../../pipeline/operations/forget.ts'
import { landedTable } from '../../pipeline/io/inbox-source.ts'
import { replayEverything } from '../../pipeline/operations/replay-all.ts'
import { versionStatuses } from '../../pipeline/query/release-status.ts'
import { TABLES, VERSIONED_NAMES } from '../../pipeline/warehouse/tables.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { Shop } from '../../scripts/sample/shop.ts'
import { buying } from '../support/histories/two-version-journey.ts'
import { dump, Harness, sorted } from '../support/dump.ts'
import { believed, expectSame, replayAll, step as inSmallParts } from '../support/releasing.ts'
import type { Row } from '../reference/reference.ts'
import { emptyDataset } from '../../scripts/emulators/empty-dataset.ts'
import { startBigQuery, type Emulator } from '../../scripts/emulators/bigquery-emulator.ts'
import { Proxy, throughProxy } from './proxy.ts'

const MINUTES = 300_000
const emulator = await startBigQuery()
afterAll(() => emulator?.stop())

const event = (id: string, minute: number, identifiers: object) =>
  JSON.stringify({
    event_id: id,
    name: 'A',
    occurred_at: 1_772_359_200_000 + minute * 60_000,
    identifiers,
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
]
const walk = makeDefinitions({
  journeys: [
    {
      id: 'walk',
      version: 1,
      initial: 'on',
      states: { on: { on: { A: 'on' }, after: { '1h': 'off' } }, off: { on: { A: 'on' } } },
    },
  ],
})
const LANDED_AT = 1_890_000_000_000_000
const FORGOTTEN_AT = 1_900_000_000_000_000

const old = makeDefinitions({ journeys: [buying(1, '24h')] })
const young = makeDefinitions({ journeys: [buying(2, '2h')] })
const lines = [...new Shop(5).lines(400)]
const [early, late] = [lines.slice(0, 300), lines.slice(300)]

/** Uses parts of the default size of the commands. */
const step: typeof inSmallParts = (harness, to, action, more) =>
  inSmallParts(harness, to, action, { spread: {}, ...more })

/** Returns every version of every row without timestamps, which differ. */
async function versions(warehouse: Warehouse): Promise<{ [view: string]: Row[] }> {
  const views: { [view: string]: Row[] } = {}
  for (const table of VERSIONED_NAMES) {
    const { versions: view } = TABLES[table]
    const rows = (await warehouse.query(`select * from ${view}`)) as Row[]
    views[view] = sorted(rows.map((row) => ({ ...row, recorded_at: 0, superseded_at: 0 })))
  }
  return views
}

describe.skipIf(emulator === null)('daily tools on the BigQuery emulator', () => {
  const place = (emulator as Emulator)?.place('daily')
  let embedded: Harness
  let remote: Harness

  /** Runs the work on both warehouses and compares the results. */
  const both = async <T>(work: (harness: Harness) => Promise<T>): Promise<T> => {
    const told = [await work(embedded), await work(remote)] as const
    expect(told[1]).toEqual(told[0])
    expect(await dump(remote.warehouse)).toEqual(await dump(embedded.warehouse))
    return told[0]
  }
  const start = async (definitions: Definitions) => {
    await emptyDataset(place)
    embedded = new Harness(definitions)
    remote = new Harness(definitions, bigqueryWarehouse(place))
  }
  const end = async () => {
    const [wanted, found] = [await versions(embedded.warehouse), await versions(remote.warehouse)]
    for (const view of Object.keys(wanted)) {
      expect({ view, rows: found[view] }).toEqual({ view, rows: wanted[view] })
    }
    await embedded.warehouse.close()
    await remote.warehouse.close()
  }

  beforeAll(() => emptyDataset(place), MINUTES)

  test(
    'a version is built, promoted, run and rolled back as in DuckDB',
    async () => {
      await start(old)
      await both((harness) => harness.feed(early))
      const before = await dump(remote.warehouse)
      expect(await both((harness) => step(harness, old, 'replayed'))).toMatchObject({
        inserted: 0,
        superseded: 0,
        isDone: false,
      })
      expect(await both((harness) => step(harness, young, 'replayed'))).toMatchObject({
        superseded: 0,
        isDone: true,
      })
      expect(await dump(remote.warehouse)).toEqual(before)
      expect(await both((harness) => step(harness, young, 'promoted'))).toMatchObject({
        inserted: 0,
        superseded: 0,
        isDone: true,
      })
      const promoted = await dump(remote.warehouse)
      expect(promoted).not.toEqual(before)
      await both((harness) => step(harness, old, 'rolled_back'))
      expect(await dump(remote.warehouse)).toEqual(before)
      await both((harness) => step(harness, young, 'promoted'))
      expect(await dump(remote.warehouse)).toEqual(promoted)
      await both((harness) => harness.feed(late))
      const never = new Harness(young)
      await never.feed(early)
      await never.feed(late)
      expect(await dump(remote.warehouse)).toEqual(await dump(never.warehouse))
      await never.warehouse.close()
      expect(await versionStatuses(remote.warehouse)).toMatchObject([
        { version: 1, isLive: false, behind: 1 },
        { version: 2, isLive: true, behind: 0 },
      ])
      await end()
    },
    MINUTES,
  )

  test(
    'a window of a version is built as in DuckDB, and only the window',
    async () => {
      await start(old)
      await both((harness) => harness.feed(early))
      const before = await dump(remote.warehouse)
      const at = (time: string) => instantOf('at', `2026-03-02T${time}Z`)
      const within = { from: at('08:02:00'), to: at('08:06:00') }
      const built = await both((harness) => step(harness, young, 'replayed', { within }))
      expect(built).toMatchObject({ superseded: 0, isDone: true })
      const inPart = await both(believed)
      const asked = await remote.warehouse.query(
        `select distinct profile_id from events inner join event_profiles using (event_id)
       where occurred_at >= timestamp_micros(?) and occurred_at < timestamp_micros(?)`,
        [within.from, within.to],
      )
      const isAsked = new Set(asked.map((row) => row['profile_id']))
      const more = { within: { from: at('08:29:50'), to: null } }
      expect(await both((harness) => step(harness, young, 'replayed', more))).toMatchObject({
        superseded: 0,
      })
      expect((await both(believed)).length).toBeGreaterThan(inPart.length)
      await both((harness) => step(harness, young, 'replayed'))
      const whole = await both(believed)
      expect(inPart).toEqual(whole.filter((row) => isAsked.has(row['profile_id'])))
      expect(inPart.length).toBeGreaterThan(0)
      expect(await dump(remote.warehouse)).toEqual(before)
      await end()
    },
    MINUTES,
  )

  test(
    'a full replay under other sessions and identity equals DuckDB',
    async () => {
      await start(old)
      await both((harness) => harness.feed(early))
      await both((harness) => step(harness, young, 'replayed'))
      const { recordedAt } = await remote.warehouse.open()
      const before = await dump(remote.warehouse)
      const { journeys } = old
      const rules = { sessions: { gap: '5m' }, identity: { person: ['email'], exclusive: [] } }
      const next = makeDefinitions({ ...rules, journeys })
      const all = (harness: Harness) => replayAll(harness, next, { spread: {} })
      const { inserted, superseded, isDone } = await both(all)
      expect([inserted > 300, superseded > 300, isDone]).toEqual([true, true, true])
      const never = new Harness(next)
      await never.feed(early)
      expectSame(await dump(remote.warehouse), await dump(never.warehouse))
      expectSame(await dump(remote.warehouse, recordedAt), before)
      expect(await both(all)).toMatchObject({ inserted: 0, superseded: 0, isDone: false })
      embedded = new Harness(next, embedded.warehouse)
      remote = new Harness(next, remote.warehouse)
      await both((harness) => harness.feed(late))
      await never.feed(late)
      expectSame(await dump(remote.warehouse), await dump(never.warehouse))
      await never.warehouse.close()
      await end()
    },
    MINUTES,
  )

  test(
    'a promotion includes what lands during it',
    async () => {
      await emptyDataset(place)
      const writer = new Harness(old, bigqueryWarehouse(place))
      await writer.feed(early)
      const proxy = new Proxy((emulator as Emulator).url)
      remote = new Harness(old, bigqueryWarehouse(await throughProxy(place, proxy)))
      const asked = { fold: 0, build: 0, catchUp: 0 }
      proxy.luck = async (_, body) => {
        if (body.includes('order by occurred_at, ordinal')) asked.catchUp += 1
        if (body.includes('group by profile_id') && (asked.fold += 1) === 1) {
          await writer.feed(late.slice(0, 1))
        }
        if (body.includes('group by identifiers, alias, unlink') && (asked.build += 1) === 1) {
          await writer.feed(late.slice(1))
        }
        return false
      }
      await step(remote, young, 'promoted')
      expect(asked).toEqual({ fold: 1, build: 1, catchUp: 1 })
      const never = new Harness(young)
      await never.feed(early)
      await never.feed(late)
      expect(await dump(remote.warehouse)).toEqual(await dump(never.warehouse))
      const more = event('new', 0, { user_id: 'new' })
      await expect(writer.feed([more])).rejects.toThrow('another writer has committed')
      proxy.close()
      for (const { warehouse } of [writer, remote, never]) await warehouse.close()
    },
    MINUTES,
  )

  /** Lands the lines as two raw messages: one is hers, the other contains other people too. */
  async function land({ warehouse }: Harness): Promise<void> {
    const texts = [LINES[5], [LINES[2], LINES[1]].join('\n')] as string[]
    const messages = texts.map((text, n) => ({
      subscription_name: 's',
      message_id: `m${n}`,
      publish_time: LANDED_AT,
      data: Buffer.from(text),
      attributes: '{}',
    }))
    await warehouse.append('landed_messages', landedTable(messages), LANDED_AT)
  }

  test.each([
    ['forgotten', false],
    ['kept as nobody', true],
  ])(
    'a person is %s as in DuckDB, and nothing of her is left in any table',
    async (_, isKept) => {
      await start(walk)
      for (const some of [LINES.slice(0, 3), LINES.slice(3)]) {
        await both((harness) => harness.feed(some))
      }
      await both(land)
      const forgetting = async ({ warehouse }: Harness, isPlan: boolean) => {
        const person = { definitions: walk, user: 'ada', isKept }
        const options = { warehouse, ...person, isPlan, at: FORGOTTEN_AT }
        const { counts, kept, batch } = await forget(options)
        return { counts, kept, batch }
      }
      const before = await dump(remote.warehouse)
      const { counts } = await both((harness) => forgetting(harness, true))
      expect(await dump(remote.warehouse)).toEqual(before)
      expect(counts).toMatchObject({ landed_messages: 2 })
      const [wanted, told] = [await forgetting(embedded, false), await forgetting(remote, false)]
      expect(told).toEqual(wanted)
      expect(told).toMatchObject({ counts, kept: isKept ? 6 : 0 })
      for (const { name } of physicalTables()) {
        const rows = await remote.warehouse.query(`select * from ${name}`)
        const text = JSON.stringify(rows, (_key, value: unknown) =>
          value instanceof Uint8Array ? Buffer.from(value).toString() : value,
        )
        const found = text.match(/\bada\b|phone|\bx(1|2|5|6|7|8|9)\b/g)
        expect({ name, found }).toEqual({ name, found: null })
      }
      const [left] = await remote.warehouse.query('select data from landed_messages')
      expect(Buffer.from(left?.['data'] as Uint8Array).toString()).toBe(`${LINES[2]}\n`)
      const again = duckdbWarehouse(':memory:')
      await again.open()
      await replayEverything({ warehouse: remote.warehouse, scratch: again, definitions: walk })
      expect(await dump(remote.warehouse)).toEqual(await dump(again))
      await again.close()
      for (const harness of [embedded, remote]) {
        harness.restart()
        expect(await harness.feed(LINES)).toMatchObject({ landed: 0, erased: 7 })
      }
      // Each warehouse draws its own pseudonyms.
      if (isKept) for (const { warehouse } of [embedded, remote]) await warehouse.close()
      else await end()
    },
    MINUTES,
  )
})
