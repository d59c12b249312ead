/** Curves, days, sources and detours of the report's document, worked out by hand. */

import { beforeAll, expect, test } from 'vitest'
import { collect } from '../../../scripts/report/collect/collect.ts'
import type { JourneyPart, TrackPart } from '../../../scripts/report/document.ts'
import { reportWarehouse } from '../../support/report/report-data.ts'

const HOUR = 3_600_000
let order: JourneyPart
let track: TrackPart

beforeAll(async () => {
  const warehouse = await reportWarehouse()
  const [journey] = (await collect(warehouse, 'order')).journeys
  await warehouse.close()
  order = journey as JourneyPart
  track = order.tracks[0] as TrackPart
})

test('curves have the shares that can be counted by hand', () => {
  const sale = order.funnels[0]
  // a converts after 48 minutes; b and c end with their window, and d is too young.
  expect(sale?.byAge).toEqual([
    [0.8 * HOUR, 0.3333],
    [24 * HOUR, 0.3333],
  ])
  // Three stays end after 6 minutes; the fourth is open for no time at all.
  const paying = track.durations.find(({ state }) => state === 'paying')
  expect(paying?.survival).toEqual([[0.1 * HOUR, 0]])
})

test('a funnel has its days and sources', () => {
  const sale = order.funnels[0]
  const [first, last] = [1_772_323_200_000, 1_772_323_200_000 + 48 * HOUR]
  expect(sale?.daily).toEqual([
    { day: first, converted: 1, pending: 0, dropped: 2, matured: 3, rate: 1 / 3 },
    { day: last, converted: 0, pending: 1, dropped: 0, matured: 0, rate: null },
  ])
  const touches = sale?.bySource.map(({ touch }) => touch)
  expect(new Set(touches)).toEqual(new Set(['entry', 'first', 'last']))
  const entered = sale?.bySource.map(({ touch, entered: times }) => (touch === 'entry' ? times : 0))
  expect(entered?.reduce((total, times) => total + times)).toBe(4)
})

test('drop-offs have what came next, and states how often they were entered again', () => {
  expect(track.dropOffs).toMatchObject([
    { kind: 'timed_out', from: 'cart', to: 'lost', nextState: null, count: 2, share: 1 },
    { from: 'paying', to: 'cart', nextState: 'lost', nextCause: 'timeout', share: 0.5 },
    { from: 'paying', to: 'cart', nextState: 'paying', nextEvent: 'Pay', medianMs: 0.1 * HOUR },
  ])
  expect(track.dropOffsLeftOut).toEqual({ paths: 0, times: 0 })
  expect(track.rework).toMatchObject([
    { state: 'cart', entries: 6, selfLoops: 0, repeats: 2, instances: 4, reworked: 2 },
    { state: 'paying', entries: 4, repeats: 1, instances: 3, reworked: 1, rate: 0.25 },
  ])
})
