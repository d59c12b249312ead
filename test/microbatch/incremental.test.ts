/** A batch reads only what its events touch, however long the history is. */

import { expect, test } from 'vitest'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { Harness } from '../support/dump.ts'

const definitions = makeDefinitions({
  journeys: [
    {
      id: 'j',
      version: 1,
      initial: 'a',
      states: { a: { on: { Go: 'b' }, after: { '1w': 'b' } }, b: { on: { Go: 'a' } } },
      funnels: { way: { steps: ['a', 'b'], within: '1w' } },
    },
  ],
  funnels: [{ id: 'f', steps: ['Go', 'Go', 'Gone'], within: '1w' }],
})

const START = 1_772_359_200_000

function event(id: string, atMs: number, device: string, more: object = {}): string {
  return JSON.stringify({
    event_id: id,
    name: 'Go',
    occurred_at: START + atMs,
    identifiers: { anonymous_id: device },
    ...more,
  })
}

/** Returns a warehouse in which each of `people` has done three things; nothing is cached. */
async function withHistory(people: number): Promise<Harness> {
  const warehouse = duckdbWarehouse(':memory:')
  const before = new Harness(definitions, warehouse)
  for (let n = 0; n < 3; n++) {
    await before.feed(
      Array.from({ length: people }, (_, i) => event(`e${n}-${i}`, n * 60_000 + i, `d${i}`)),
    )
  }
  before.restart()
  return before
}

async function readsOf(harness: Harness, lines: string[]) {
  const before = { ...harness.warehouse.reads }
  await harness.feed(lines)
  const { images, segments, landed, timers } = harness.warehouse.reads
  return {
    images: images - before.images,
    segments: segments - before.segments,
    landed: landed - before.landed,
    timers: timers - before.timers,
  }
}

test.each([10, 600])('with %i people, an event in order reads three images', async (people) => {
  const harness = await withHistory(people)
  const reads = await readsOf(harness, [event('new', 300_000, 'd3')])
  expect(reads).toEqual({ images: 3, segments: 0, landed: 0, timers: 0 })
  await harness.warehouse.close()
})

test('an event that ties with the last one reads the history needed for the tie', async () => {
  const harness = await withHistory(10)
  const reads = await readsOf(harness, [event('tie', 120_003, 'd3'), event('new', 300_000, 'd4')])
  expect(reads).toEqual({ images: 6, segments: 3, landed: 0, timers: 0 })
  await harness.warehouse.close()
})

test.each([10, 600])('with %i people, a late event reads its own history', async (people) => {
  const harness = await withHistory(people)
  const reads = await readsOf(harness, [event('late', 90_000, 'd3')])
  expect(reads).toEqual({ images: 3, segments: 3, landed: 0, timers: 0 })
  await harness.warehouse.close()
})

test.each([10, 600])('with %i people, a sign-in reads the device it claims', async (people) => {
  const harness = await withHistory(people)
  const reads = await readsOf(harness, [
    event('who', 300_000, 'd3', { identifiers: { anonymous_id: 'd3', user_id: 'u1' } }),
  ])
  expect(reads.segments).toBe(3)
  expect(reads.images).toBeLessThanOrEqual(4)
  await harness.warehouse.close()
})

test('a batch of redelivered events reads them and changes nothing', async () => {
  const harness = await withHistory(10)
  const before = await harness.warehouse.query('select count(*) as n from state_versions')
  const reads = await readsOf(harness, [event('e0-3', 3, 'd3'), event('e1-4', 60_004, 'd4')])
  expect(reads).toEqual({ images: 0, segments: 0, landed: 2, timers: 0 })
  expect(await harness.warehouse.query('select count(*) as n from state_versions')).toEqual(before)
  await harness.warehouse.close()
})
