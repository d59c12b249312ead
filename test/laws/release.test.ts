/**
 * Laws of releases on random people and journeys. A version built beside the live one and promoted
 * shows what a warehouse with only that version shows. Rolling back shows the earlier state.
 * Neither changes what earlier instants return.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { failedChecks } from '../../pipeline/warehouse/integrity-checks.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { forget } from '../../pipeline/operations/forget.ts'
import { ReleaseLog } from '../../pipeline/warehouse/release-log.ts'
import type { Scratch } from '../../pipeline/warehouse/scratch.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { dump, Harness } from '../support/dump.ts'
import {
  check,
  expectSame,
  feed,
  LATER,
  move,
  read,
  scene,
  scratch,
  shownBy,
  step,
} from '../support/releasing.ts'
import type { AcceptedEvent, ReferenceTables } from '../reference/reference.ts'

const RUNS = Number(process.env['REBUILD_RUNS'] ?? 1)
const TIME_MAX_MS = 300_000

/** Returns a scratch whose warehouse does `work` before it is closed, as if others did meanwhile. */
function atClose(own: Scratch, work: () => Promise<void>): Scratch {
  return {
    ...own,
    warehouse: () => {
      const other = own.warehouse()
      const close = () => work().then(() => other.close())
      return new Proxy(other, {
        get: (_, name: keyof Warehouse) => {
          const member = other[name]
          if (name === 'close') return close
          return typeof member === 'function' ? member.bind(other) : member
        },
      })
    },
  }
}

test(
  'a replay of the live version changes nothing',
  async () => {
    await check(async (given) => {
      const { old, before, watermark } = read(given)
      const harness = new Harness(old)
      await feed(harness, before, watermark)
      const shown = await dump(harness.warehouse)
      const rebuilt = await step(harness, old, 'replayed')
      expect(rebuilt).toMatchObject({ inserted: 0, superseded: 0, isDone: false })
      expectSame(await dump(harness.warehouse), shown)
      await harness.warehouse.close()
    })
  },
  TIME_MAX_MS,
)

test(
  'a promoted version shows what a warehouse with only that version shows, also after more batches',
  async () => {
    await check(async (given) => {
      const { old, young, before, after, watermark } = read(given)
      const harness = new Harness(old)
      await feed(harness, before, watermark)
      const shown = await dump(harness.warehouse)
      await step(harness, young, 'replayed')
      expectSame(await dump(harness.warehouse), shown)
      const promoted = await step(harness, young, 'promoted')
      expect(promoted).toMatchObject({ inserted: 0, superseded: 0, isDone: true })
      expectSame(await dump(harness.warehouse), await shownBy(young, [[before, watermark]]))
      await feed(harness, after, watermark + LATER)
      const lots: [AcceptedEvent[][], number][] = [
        [before, watermark],
        [after, watermark + LATER],
      ]
      expectSame(await dump(harness.warehouse), await shownBy(young, lots))
      expect((await failedChecks(harness.warehouse)).failed).toEqual([])
      await harness.warehouse.close()
    })
  },
  TIME_MAX_MS,
)

test(
  'batches that are committed during a promotion are in it',
  async () => {
    await check(async (given) => {
      const { old, young, before, after, watermark } = read(given)
      const harness = new Harness(old)
      await feed(harness, before)
      let hasArrived = false
      const arriving = async () => {
        if (!hasArrived) await feed(harness, after.slice(0, 1), watermark)
        hasArrived = true
      }
      await step(harness, young, 'promoted', { scratch: atClose(scratch(), arriving) })
      const lots: [AcceptedEvent[][], number][] = [[[...before, ...after.slice(0, 1)], watermark]]
      expectSame(await dump(harness.warehouse), await shownBy(young, lots))
      await feed(harness, after.slice(1), watermark + LATER)
      lots.push([after.slice(1), watermark + LATER])
      expectSame(await dump(harness.warehouse), await shownBy(young, lots))
      await harness.warehouse.close()
    })
  },
  TIME_MAX_MS,
)

test(
  'a rollback includes later batches and exactly reverts a promotion',
  async () => {
    await check(async (given) => {
      const { old, young, before, after, watermark } = read(given)
      const harness = new Harness(old)
      await feed(harness, before)
      const shown = await dump(harness.warehouse)
      await step(harness, young, 'promoted')
      await step(harness, old, 'rolled_back')
      expectSame(await dump(harness.warehouse), shown)
      await step(harness, young, 'promoted')
      await feed(harness, after.slice(0, 1))
      await step(harness, old, 'rolled_back')
      await feed(harness, after.slice(1), watermark)
      const all: [AcceptedEvent[][], number][] = [[[...before, ...after], watermark]]
      expectSame(await dump(harness.warehouse), await shownBy(old, all))
      expect((await failedChecks(harness.warehouse)).failed).toEqual([])
      await harness.warehouse.close()
    })
  },
  TIME_MAX_MS,
)

test(
  'views as of instants before, between and after stay the same',
  async () => {
    await check(async (given) => {
      const { old, young, before, after, watermark } = read(given)
      const harness = new Harness(old)
      const seen: { at: number; tables: ReferenceTables }[] = []
      const look = async () => {
        const { recordedAt } = await harness.warehouse.open()
        seen.push({ at: recordedAt, tables: await dump(harness.warehouse) })
      }
      await feed(harness, before)
      await look()
      for (const [to, action] of [
        [young, 'replayed'],
        [young, 'promoted'],
        [old, 'rolled_back'],
      ] as const) {
        await step(harness, to, action)
        await look()
        await feed(harness, after.splice(0, 1))
        await look()
      }
      await feed(harness, after, watermark)
      for (const { at, tables } of seen) {
        expectSame(await dump(harness.warehouse, at), tables)
      }
      await harness.warehouse.close()
    })
  },
  TIME_MAX_MS,
)

test(
  'a new journey and a new funnel are released the same way',
  async () => {
    await fc.assert(
      fc.asyncProperty(scene, async (given) => {
        const { old, young, before, after, watermark } = read(given)
        const { identity: people, sessions: visits } = old
        const bare = makeDefinitions({ identity: people, sessions: visits })
        const first = new Harness(bare)
        await feed(first, before, watermark)
        const harness = new Harness(young, first.warehouse)
        for (const release of young.releases) {
          if (release.kind !== 'journey' && release.kind !== 'funnel') continue
          await move(harness, release, 'replayed')
          await move(harness, release, 'promoted')
        }
        await feed(harness, after, watermark + LATER)
        const lots: [AcceptedEvent[][], number][] = [
          [before, watermark],
          [after, watermark + LATER],
        ]
        expectSame(await dump(harness.warehouse), await shownBy(young, lots))
        await harness.warehouse.close()
      }),
      { numRuns: RUNS },
    )
  },
  TIME_MAX_MS,
)

test('the release log records who, when and why, and superseded rows are rebuilt', async () => {
  const one = (version: number, on: string) => ({
    id: 'j',
    version,
    initial: 'a',
    states: { a: { on: { [on]: 'b' } }, b: { type: 'final' as const } },
  })
  const old = makeDefinitions({ journeys: [one(1, 'A')] })
  const young = makeDefinitions({ journeys: [one(2, 'B')] })
  const harness = new Harness(old)
  const event = (id: string, name: string, minute: number) =>
    JSON.stringify({
      event_id: id,
      name,
      occurred_at: `2026-03-01T10:0${minute}:00Z`,
      identifiers: { user_id: 'u1' },
    })
  await harness.feed([event('e2', 'A', 2)])
  await step(harness, young, 'promoted')
  await harness.feed([event('e1', 'A', 1), event('e3', 'B', 3)])
  await step(harness, old, 'rolled_back')
  const record = await harness.warehouse.query(
    `select action, version, released_by, reason from releases
     where kind = 'journey' order by recorded_by, action desc`,
  )
  expect(record.map((row) => Object.values(row).join(' '))).toEqual([
    'registered 1  first release',
    'promoted 1  first release',
    'registered 2 test to see',
    'promoted 2 test to see',
    'rolled_back 1 test to see',
  ])
  const batches = await harness.warehouse.query(
    'select origin, inserted_count, superseded_count from batches order by batch',
  )
  expect([batches[1], batches[3]].map((row) => Object.values(row ?? {}).join(' '))).toEqual([
    'promoted journey j 2 0 0',
    'rolled_back journey j 1 4 4',
  ])
  expect(
    await harness.warehouse.query(
      `select distinct version, superseded_by, superseded_because from state_versions
       where superseded_at is not null`,
    ),
  ).toEqual([{ version: 1, superseded_by: 4, superseded_because: 'rebuilt' }])
  expect((await ReleaseLog.read(harness.warehouse)).live().map(({ version }) => version)).toEqual([
    1,
  ])
  await harness.warehouse.close()
})

test(
  'a person erased between replay and promotion is in neither version',
  async () => {
    await check(async (given) => {
      const { old, young, before, after, watermark } = read(given)
      const harness = new Harness(old)
      await feed(harness, before)
      await step(harness, young, 'replayed')
      await feed(harness, after, watermark)
      const { warehouse } = harness
      const [him] = await warehouse.query(
        `select namespace || ':' || value as name from identities
       where namespace in ('user_id', 'email') order by 1 limit 1`,
      )
      if (him !== undefined) {
        const how = { user: him['name'] as string, isKept: false, isPlan: false, at: 2e15 }
        await forget({ warehouse, definitions: old, ...how })
        harness.restart()
      }
      await step(harness, young, 'promoted')
      const rows = await warehouse.query('select event_id from events')
      const remaining = new Set(rows.map((row) => row['event_id']))
      const rest = [...before, ...after].map((batch) =>
        batch.filter((event) => remaining.has(event.event_id)),
      )
      expectSame(await dump(warehouse), await shownBy(young, [[rest, watermark]]))
      await step(harness, old, 'rolled_back')
      expectSame(await dump(warehouse), await shownBy(old, [[rest, watermark]]))
      expect((await failedChecks(warehouse)).failed).toEqual([])
      await warehouse.close()
    })
  },
  TIME_MAX_MS,
)
