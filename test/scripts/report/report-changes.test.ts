/** The comparison of two weeks, with late events that restate the first of them. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeDefinitions } from '../../../pipeline/definition/load.ts'
import { changesOf, type Changes } from '../../../scripts/report/changes.ts'
import { changesSql } from '../../../scripts/report/changes-sql.ts'
import { collect } from '../../../scripts/report/collect/collect.ts'
import { DAY_MS } from '../../../scripts/report/cube/cube.ts'
import type { JourneyPart, TrackPart } from '../../../scripts/report/document.ts'
import { differenceOf } from '../../../scripts/report/difference.ts'
import { rateOf } from '../../../scripts/report/cube/slice-funnel.ts'
import { decidedAt, windowsOf } from '../../../scripts/report/windows.ts'
import { Harness } from '../../support/dump.ts'
import { BASE, JOURNEYS } from '../../support/report/report-data.ts'

const HOUR = 3_600_000
const harness = new Harness(makeDefinitions({ journeys: JOURNEYS }))
let changes: Changes

const line = (person: string, day: number, hour: number, name: string) =>
  JSON.stringify({
    event_id: `${person} ${day} ${hour} ${name}`,
    name,
    occurred_at: BASE + day * DAY_MS + hour * HOUR,
    source: person.startsWith('i') ? 'ios' : 'web',
    identifiers: { user_id: person },
  })

/** Days 2 to 8 are the week before, 9 to 15 the last one: the watermark is the end of day 16. */
beforeAll(async () => {
  // Four people enter in the first week; one of them pays and is done.
  const first = ['w1', 'w2', 'i1', 'i2'].map((person) => line(person, 4, 10, 'Add'))
  await harness.feed([
    ...first,
    line('w1', 4, 10.5, 'Pay'),
    line('w1', 4, 10.6, 'Done'),
    line('w2', 4, 10.5, 'Pay'),
    line('x', 10, 1, 'Seen'),
  ])
  // Two of two convert in the second; i1 of the first week had paid after all, which comes late.
  await harness.feed([
    line('i1', 4, 10.5, 'Pay'),
    line('i1', 4, 10.6, 'Done'),
    ...['w3', 'i3'].flatMap((person) => [
      line(person, 12, 10, 'Add'),
      line(person, 12, 10.5, 'Pay'),
      line(person, 12, 10.6, 'Done'),
    ]),
    line('x', 17, 0, 'Seen'),
  ])
  const report = await collect(harness.warehouse, 'order')
  const [journey] = report.journeys as [JourneyPart]
  changes = changesOf(report, journey, journey.tracks[0] as TrackPart) as Changes
})
afterAll(() => harness.warehouse.close())

test('a week is compared once the window of its last entry is over', () => {
  const watermark = BASE + 17 * DAY_MS
  const { recent, before } = windowsOf(watermark, DAY_MS)
  expect([recent.from, recent.to]).toEqual([BASE + 9 * DAY_MS, BASE + 15 * DAY_MS])
  expect([before.from, before.to]).toEqual([BASE + 2 * DAY_MS, BASE + 8 * DAY_MS])
  expect(decidedAt({ recent, before }, DAY_MS)).toBe(BASE + 10 * DAY_MS)
  expect(windowsOf(watermark - 1, DAY_MS).recent.to).toBe(BASE + 14 * DAY_MS)
})

const rates = ({ name, recent, before, asKnown }: Changes['funnels'][0]['steps'][0]) =>
  [name, ...[recent, before, asKnown].map(({ converted, count }) => `${converted}/${count}`)].join(
    ' ',
  )

test('separates changes of people from restatements, by step and source', () => {
  const [purchase] = changes.funnels
  expect(purchase?.steps.map(rates)).toEqual([
    'to paying 2/2 3/4 2/4',
    'to bought 2/2 2/3 1/2',
    'Whole funnel 2/2 2/4 1/4',
  ])
  expect(purchase?.sources.map(rates).sort()).toEqual(['ios 1/1 1/2 0/2', 'web 1/1 1/2 1/2'])
})

test('entries of states are compared in the same way', () => {
  const bought = changes.states.find(({ name }) => name === 'bought')
  expect(bought).toEqual({ name: 'bought', recent: 2, before: 2, asKnown: 1 })
  const lost = changes.states.find(({ name }) => name === 'lost')
  expect(lost).toEqual({ name: 'lost', recent: 0, before: 2, asKnown: 3 })
})

test('the query of the block has the counts of both weeks', async () => {
  const rows = await harness.warehouse.query(changesSql('order', 'main', changes))
  const found = (kind: string, name: string) => {
    const row = rows.find((one) => one['kind'] === kind && one['name'] === name)
    return [Number(row?.['recent']), Number(row?.['before'])]
  }
  expect(found('entered', 'bought')).toEqual([2, 2])
  expect([1, 2, 3].map((step) => found('funnel purchase, step', String(step)))).toEqual([
    [2, 4],
    [2, 3],
    [2, 2],
  ])
})

test('a difference of rates has the published interval', () => {
  // Newcombe 1998, table II, method 10: 56/70 less 48/80 is 0.2, from 0.0524 to 0.3339.
  const found = differenceOf(rateOf(80, 48), rateOf(70, 56))
  expect(found?.change).toBeCloseTo(0.2, 4)
  expect(found?.low).toBeCloseTo(0.0524, 4)
  expect(found?.high).toBeCloseTo(0.3339, 4)
})
