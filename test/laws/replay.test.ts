/**
 * Laws of replay: it gives the rows of the runs, wherever its parts are cut and however many
 * threads fold; only what was requested is built; identity and sessions can change.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareWarehouses } from '../../pipeline/query/compare-warehouses.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { replayEverything } from '../../pipeline/operations/replay-all.ts'
import { versionStatuses } from '../../pipeline/query/release-status.ts'
import { Harness } from '../support/dump.ts'
import { emptyWarehouse } from '../support/reused-warehouse.ts'
import {
  believed,
  believedWithin,
  check,
  feed,
  read,
  replayAll,
  scene,
  step,
} from '../support/releasing.ts'
import { replayLaws } from './replay.laws.ts'

const RUNS = Number(process.env['REPLAY_RUNS'] ?? 1)
const TIME_MAX_MS = 300_000

async function expectRecomputed(harness: Harness, spread: object) {
  const scratch = emptyWarehouse()
  await scratch.open()
  const { warehouse, definitions } = harness
  expect(await replayEverything({ warehouse, scratch, definitions, ...spread })).toBe(true)
  for (const comparison of await compareWarehouses(warehouse, scratch)) {
    expect(comparison).toMatchObject({ differing: 0, differences: [] })
  }
  expect(await scratch.query('select count(*) as n from effects')).toEqual([{ n: 0 }])
  await scratch.close()
}

test(
  'the tables equal those of the runs, wherever the parts are cut',
  async () => {
    await fc.assert(
      fc.asyncProperty(scene, fc.integer({ min: 1, max: 9 }), async (given, partEvents) => {
        const { old, before, after, watermark } = read(given)
        const harness = new Harness(old)
        await feed(harness, [...before, ...after], watermark)
        await expectRecomputed(harness, { partEvents, componentEvents: 2 * partEvents })
        await harness.warehouse.close()
      }),
      { numRuns: 4 * RUNS },
    )
  },
  TIME_MAX_MS,
)

test(
  'three threads give the same rows as one',
  async () => {
    await fc.assert(
      fc.asyncProperty(scene, async (given) => {
        const { old, before, watermark } = read(given)
        const harness = new Harness(old)
        await feed(harness, before, watermark)
        await expectRecomputed(harness, { partEvents: 4, parallel: 3 })
        await harness.warehouse.close()
      }),
      { numRuns: RUNS },
    )
  },
  TIME_MAX_MS,
)

replayLaws('DuckDB', async () => emptyWarehouse(), { numRuns: RUNS })

test(
  'a replay equals runs that received the older half of history last',
  async () => {
    await check(async (given) => {
      const { old, young, before, after, watermark } = read(given)
      const harness = new Harness(old)
      const all = [...before, ...after].flat().sort((a, b) => a.occurred_at - b.occurred_at)
      const half = Math.floor(all.length / 2)
      await feed(harness, [all.slice(half)], watermark)
      await step(harness, young, 'replayed')
      await feed(harness, [all.slice(0, half)])
      const loaded = { from: null, to: (all[half - 1]?.occurred_at ?? 0) + 1 }
      await step(harness, young, 'replayed', { within: loaded })
      // The older half may also have moved events between people without an event in the window.
      const built = await believedWithin(harness, loaded)
      await step(harness, young, 'replayed')
      expect(built).toEqual(await believedWithin(harness, loaded))
      const live = await step(harness, old, 'replayed')
      expect(live).toMatchObject({ inserted: 0, superseded: 0, isDone: false })
      await harness.warehouse.close()
    })
  },
  TIME_MAX_MS,
)

test('a partially built version is marked as such, and a live version is built whole', async () => {
  const old = definitionsOf({})
  const young = makeDefinitions({ journeys: [{ ...JOURNEY, version: 2 }] })
  const harness = new Harness(old)
  await harness.feed([eventOf('e1', 'd1', 0), eventOf('e2', 'd2', 5)])
  const within = { from: null, to: START + 1 }
  await step(harness, young, 'replayed', { within })
  const [live, built] = await versionStatuses(harness.warehouse)
  expect(live).toMatchObject({ version: 1, isLive: true })
  expect(built).toMatchObject({ version: 2, isPartial: true, behind: 1, transitions: 2 })
  await expect(step(harness, old, 'replayed', { within })).rejects.toThrow('built whole')
  await step(harness, young, 'promoted')
  expect((await believed(harness)).length).toBe(4)
  await harness.warehouse.close()
})

const START = 1_772_359_200_000_000
const JOURNEY = {
  id: 'j',
  version: 1,
  initial: 'a',
  states: { a: { on: { Go: 'b' } }, b: { type: 'final' as const } },
}
const definitionsOf = (parts: object) => makeDefinitions({ ...parts, journeys: [JOURNEY] })
const eventOf = (id: string, device: string, minute: number) =>
  JSON.stringify({
    event_id: id,
    name: 'Go',
    occurred_at: (START + minute * 60_000_000) / 1_000,
    identifiers: { anonymous_id: device },
  })

test('a changed session rule stops runs until a full replay, and is recorded', async () => {
  const harness = new Harness(definitionsOf({}))
  await harness.feed([eventOf('e1', 'd1', 0), eventOf('e2', 'd1', 20)])
  const next = definitionsOf({ sessions: { gap: '10m' } })
  const onward = new Harness(next, harness.warehouse)
  const message = /sessions.ts has changed .* npm run replay -- --all/
  await expect(onward.feed([])).rejects.toThrow(message)
  const plan = await replayAll(harness, next, { mayChangeLive: false })
  expect(plan).toMatchObject({ isDone: false, inserted: 3, superseded: 2 })
  await expect(onward.feed([])).rejects.toThrow('a full replay is needed')
  expect(await replayAll(harness, next)).toMatchObject({ ...plan, isDone: true })
  await onward.feed([eventOf('e3', 'd1', 25)])
  expect(
    await harness.warehouse.query('select session_id, event_count from sessions order by all'),
  ).toEqual([
    { session_id: 'e1', event_count: 1 },
    { session_id: 'e2', event_count: 2 },
  ])
  const record = await harness.warehouse.query(
    `select id || ' ' || version || ' ' || action as line from releases
     where recorded_by = 2 order by line`,
  )
  expect(record.map(({ line }) => line)).toEqual([
    'identity 1 replayed',
    'sessions 2 registered',
    'sessions 2 replayed',
  ])
  expect(await replayAll(harness, next)).toMatchObject({ inserted: 0, isDone: false })
  const hashing = definitionsOf({ identity: { hashed: ['email'] } })
  await expect(replayAll(harness, hashing)).rejects.toThrow('whether email is hashed')
  await harness.warehouse.close()
})
