/** The report's document, worked out by hand, and the page as a text. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeDefinitions, type Release } from '../../../pipeline/definition/load.ts'
import { duckdbWarehouse } from '../../../pipeline/duckdb/warehouse.ts'
import type { Journey } from '../../../pipeline/definition/journey.ts'
import { isPublic } from '../../../pipeline/warehouse/public-views.ts'
import type { Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import { Random } from '../../../scripts/sample/random.ts'
import {
  CYCLES_MAX,
  PATH_STATES_MAX,
  VARIANTS_MAX,
  WAYS_MAX,
} from '../../../scripts/report/bounds.ts'
import { reportPage } from '../../../scripts/report/bundle.ts'
import { collect } from '../../../scripts/report/collect/collect.ts'
import type {
  FunnelStep,
  JourneyPart,
  ReportDocument,
  TrackPart,
} from '../../../scripts/report/document.ts'
import { startCommands } from '../../support/commands.ts'
import { Harness } from '../../support/dump.ts'
import { move, step } from '../../support/releasing.ts'
import { EVIL, FUNNEL, JOURNEYS, reportWarehouse } from '../../support/report/report-data.ts'

const BYTES_MAX = 1_000_000
const HOUR = 3_600_000
const dir = mkdtempSync(join(tmpdir(), 'desire-path-report-'))
let warehouse: Warehouse
let document: ReportDocument
let order: TrackPart

beforeAll(async () => {
  warehouse = await reportWarehouse()
  document = await collect(warehouse, null)
  order = document.journeys.find(({ id }) => id === 'order')?.tracks[0] as TrackPart
})
afterAll(async () => {
  await warehouse.close()
  rmSync(dir, { recursive: true })
})

test('the document has the time and the events that it covers', () => {
  expect(document.watermark).toBe(1_772_323_200_000 + 50.5 * HOUR)
  expect(document.batch).toBe(1)
  expect(document.journeys.map(({ id, version }) => `${id} ${version}`)).toEqual([
    'care 3',
    'order 1',
  ])
  expect(document.journeys[1]).toMatchObject({
    instanceCount: 4,
    profileCount: 4,
    completeCount: 1,
    convertedCount: 1,
    lostCount: 0,
  })
})

test('transitions are counted by cause, and every state of the definition is included', () => {
  expect(order.started).toBe(4)
  expect(order.ways.map(({ from, to, cause, count }) => [from, to, cause, count])).toEqual([
    ['cart', 'paying', 'event', 4],
    ['cart', 'lost', 'timeout', 2],
    ['paying', 'cart', 'event', 2],
    ['paying', 'bought', 'event', 1],
  ])
  const toPay = order.ways[0]
  expect(toPay).toMatchObject({ profileCount: 3, probability: 4 / 6, medianMs: 0.5 * HOUR })
  expect(toPay?.events).toEqual([{ name: 'Pay', count: 4 }])
  expect(order.states.map(({ name, entered, inside }) => [name, entered, inside])).toEqual([
    ['cart', 6, 0],
    ['paying', 4, 1],
    ['lost', 2, 2],
    ['bought', 1, 1],
    ['refunded', 0, 0],
  ])
})

test('refusals are told by the state of each track', () => {
  expect(order.refusals).toEqual([{ state: 'cart', event: EVIL, reason: 'not_accepted', count: 1 }])
})

test('cycles have their cost, lap by lap', () => {
  expect(order.cycles).toMatchObject([
    {
      path: ['cart', 'paying', 'cart'],
      count: 2,
      profileCount: 2,
      convertedRate: 0.5,
      lostCount: 0,
      laps: [{ lap: 1, instanceCount: 2, convertedRate: 0.5 }],
    },
  ])
})

const countsOf = ({ reached, converted, dropped, pending }: FunnelStep) => [
  reached,
  converted,
  dropped,
  pending,
]

test('who may still go on is pending, and not lost', () => {
  const steps = document.journeys.find(({ id }) => id === 'order')?.funnels[0]?.steps
  expect(steps?.map(countsOf)).toEqual([
    [4, 1, 2, 1],
    [3, 1, 1, 1],
    [1, 1, 0, 0],
  ])
  expect(steps?.map(({ matured }) => matured?.rate)).toEqual([null, 2 / 3, 1 / 2])
  expect(steps?.[1]?.medianMs).toBe(0.5 * HOUR)
  // d entered half an hour before the watermark, of a window of a day: no rate counts d.
  const sale = document.journeys.find(({ id }) => id === 'order')?.funnels[0]
  expect(sale?.matured).toMatchObject({ count: 3, converted: 1, rate: 1 / 3 })
  const [quick] = document.funnels
  expect(quick).toMatchObject({ name: 'quick', stepsAre: 'events', countBy: 'attempts' })
  expect(quick?.options).toContain('Within 1h of the entry; steps in this order')
  expect(quick?.steps.map(countsOf)).toEqual([
    [4, 1, 2, 1],
    [3, 1, 1, 1],
    [1, 1, 0, 0],
  ])
})

test('standing has every day, and the days nobody stood there are zero', () => {
  expect(order.standing.days).toEqual([0, 1, 2].map((day) => 1_772_323_200_000 + day * 24 * HOUR))
  expect(order.standing.series.find(({ state }) => state === 'lost')?.counts).toEqual([2, 2, 2])
  expect(order.standing.series.find(({ state }) => state === 'paying')?.counts).toEqual([0, 0, 1])
})

test('a day that changed after it was over is listed with the reason', async () => {
  const late = await reportWarehouse([['c', 12.15, 'Pay']])
  const { corrections, errorRate } = (await collect(late, 'order')).journeys[0] as JourneyPart
  await late.close()
  const views = corrections.map(({ view }) => view)
  expect(views).toEqual(['funnel_attempts', 'sessions', 'transitions'])
  const transitions = corrections.find(({ view }) => view === 'transitions')
  expect(transitions).toMatchObject({ day: 1_772_323_200_000, removed: 1, lateEvents: 1 })
  expect(errorRate?.latest).toMatchObject({ rejected: 0 })
})

test('after a rollback the page shows the version that is live again', async () => {
  const held = await reportWarehouse()
  const before = await collect(held, 'order')
  const harness = new Harness(makeDefinitions({ journeys: JOURNEYS, funnels: [FUNNEL] }), held)
  const [journey] = JOURNEYS as [Journey]
  const younger = makeDefinitions({ journeys: [{ ...journey, version: 2, restart: false }] })
  const old = await harness.pipeline()
  const shown = async () => (await collect(held, 'order')).journeys.map(({ version }) => version)
  await step(harness, younger, 'promoted')
  expect(await shown()).toEqual([2])
  const [first] = old.definitions.releases.filter(({ id }) => id === 'order')
  await move(harness, first as Release, 'rolled_back')
  expect(await shown()).toEqual([1])
  expect((await collect(held, 'order')).journeys).toEqual(before.journeys)
  await held.close()
})

test('one journey can be asked for, and one that is not there is named', async () => {
  expect((await collect(warehouse, 'care')).journeys).toHaveLength(1)
  expect((await collect(warehouse, 'care')).journeysLeftOut).toBe(1)
  await expect(collect(warehouse, 'nope')).rejects.toThrow('choose one of care, order')
})

test('only the public views are asked', async () => {
  const asked: string[] = []
  const spy = Object.create(warehouse) as Warehouse
  spy.query = (sql, parameters) => {
    asked.push(sql)
    return warehouse.query(sql, parameters)
  }
  Object.defineProperty(spy, 'url', { value: 'duckdb:spy' })
  await collect(spy, null)
  const relations = asked.flatMap((sql) =>
    [...sql.matchAll(/\b(?:from|join)\s+(\w+)/g)].map(([, name]) => name),
  )
  expect(relations.length).toBeGreaterThan(20)
  expect(relations.filter((name) => !isPublic(name as string))).toEqual([])
})

test('a warehouse without a batch has nothing to report', async () => {
  const empty = duckdbWarehouse(':memory:')
  await empty.open()
  await expect(collect(empty, null)).rejects.toThrow('contains no events; load some')
  await empty.close()
})

test('a warehouse of refused lines alone has them and the next command on its page', async () => {
  const harness = new Harness(makeDefinitions({ journeys: JOURNEYS }))
  await harness.feed(['no JSON', '{"a":1}'])
  const { empty } = await collect(harness.warehouse, null)
  expect(empty?.text).toContain(
    'of 2 lines read, 2 were refused (invalid_json 1, unknown_format 1)',
  )
  expect(empty?.command).toBe('npm run dead-letters -- list --warehouse duckdb::memory:')
  await harness.feed([
    JSON.stringify({
      event_id: 'e',
      name: 'Seen',
      occurred_at: 1_772_323_200_000,
      identifiers: { user_id: 'u' },
    }),
  ])
  expect((await collect(harness.warehouse, null)).empty).toBeNull()
  await harness.warehouse.close()
})

test('no name gets out of its place in the page', async () => {
  const page = await reportPage(document)
  expect(JSON.stringify(document)).toContain(EVIL.slice(0, 20))
  expect(page).not.toContain(EVIL.slice(0, 20))
  expect(page.match(/<\/script>/g)).toHaveLength(2)
  expect(page).not.toMatch(/https?:\/\/(?!www\.w3\.org\/2000\/svg)/)
  expect(page.length).toBeLessThan(BYTES_MAX)
})

test('a journey with many transitions fits a page, which states what is left out', async () => {
  const names = Array.from({ length: 26 }, (_, i) => `s${i}`)
  const on = Object.fromEntries(names.map((name) => [`to ${name}`, name]))
  const harness = new Harness(
    makeDefinitions({
      journeys: [
        {
          id: 'maze',
          version: 1,
          initial: 's0',
          states: Object.fromEntries(names.map((name) => [name, { on }])),
        },
      ],
    }),
  )
  const random = new Random(1)
  const lines = Array.from({ length: 3_000 }, (_, i) =>
    JSON.stringify({
      event_id: `e${i}`,
      name: `to s${random.between(0, 25)}`,
      occurred_at: 1_772_323_200_000 + i * 60_000,
      // One walks a sixth of all of it.
      identifiers: { user_id: i % 6 === 0 ? 'walker' : `p${random.between(0, 350)}` },
    }),
  )
  await harness.feed(lines)
  const maze = await collect(harness.warehouse, null)
  const track = maze.journeys[0]?.tracks[0] as TrackPart
  const ask = async (sql: string) => Number((await harness.warehouse.query(sql))[0]?.['n'])
  const [ways, paths, runs, cycles] = [
    await ask(`select count(*) as n from transition_matrix where cause <> 'start'`),
    await ask('select count(*) as n from path_variants'),
    await ask('select sum(instance_count) as n from path_variants'),
    await ask('select count(*) as n from cycle_summary'),
  ]
  expect(ways).toBeGreaterThan(WAYS_MAX)
  expect(paths).toBeGreaterThan(VARIANTS_MAX)
  expect(cycles).toBeGreaterThan(CYCLES_MAX)
  expect(track.ways.length + track.waysLeftOut.paths).toBe(ways)
  expect(track.cycles.length + track.cyclesLeftOut.paths).toBe(cycles)
  expect(track.variants.length + track.variantsLeftOut.paths).toBe(paths)
  const shown = track.variants.reduce((total, { count }) => total + count, 0)
  expect(shown + track.variantsLeftOut.times).toBe(runs)
  expect(Math.max(...track.variants.map(({ path }) => path.length))).toBeLessThanOrEqual(
    PATH_STATES_MAX,
  )
  expect((await reportPage(maze)).length).toBeLessThan(BYTES_MAX)
  await harness.warehouse.close()
})

const command = startCommands()

test('the command writes the page, and reports invalid arguments', async () => {
  const place = join(dir, 'one.duckdb')
  await (await reportWarehouse([], duckdbWarehouse(place))).close()
  const run = (...args: string[]) => command('report', ['--warehouse', `duckdb:${place}`, ...args])
  const out = join(dir, 'report.html')
  const made = await run('--journey', 'order', '--out', out)
  expect(made).toMatchObject({ status: 0, stderr: '' })
  expect(made.stdout).toMatch(/report\.html: \d+ KB/)
  expect(readFileSync(out, 'utf8')).toContain('<title>order · Desire Path</title>')
  const wrong = await run('--journey', 'x', '--out', out)
  expect(wrong.status).toBe(2)
  expect(wrong.stderr).toContain('choose one of care, order')
  const nowhere = await run('--out', join(dir, 'none', 'report.html'))
  expect(nowhere.status).toBe(1)
  expect(nowhere.stderr).toContain('cannot be written')
})
