/** When the only attempt of a profile ended: the same whatever the runs its events came in. */

import { expect, test } from 'vitest'
import { FunnelBench, type GivenEvent } from '../support/histories/funnel-history.ts'

const MINUTE = 60_000_000
const AB = { steps: ['A', 'B'], within: '20m' }

function happened(...times: [name: string, minute: number][]): GivenEvent[] {
  return times.map(([name, minute], i) => ({ id: `e${i + 1}`, name, at: minute * MINUTE }))
}

test.each<'clickhouse' | 'posthog'>(['clickhouse', 'posthog'])(
  'the window of a later entry replaces the end on record (%s)',
  (semantics) => {
    // The second run reads that the first window is over, and sees the last one close.
    const events = happened(['A', 0], ['C', 50], ['A', 90])
    const bench = new FunnelBench({ ...AB, steps: ['A', 'B', 'C'], semantics }, events)
    expect(bench.continued(200 * MINUTE, [2, 1], false)).toEqual([
      { text: 'e1 window', endedAt: 110 * MINUTE },
    ])
  },
)

test('what strict order clears after its window does not move the end', () => {
  const events = happened(['A', 0], ['X', 1], ['A', 30], ['X', 60])
  const bench = new FunnelBench({ ...AB, order: 'strict', semantics: 'posthog' }, events)
  const ended = [{ text: 'e1 window', endedAt: 50 * MINUTE }]
  expect(bench.inOneGo(60 * MINUTE)).toEqual(ended)
  expect(bench.continued(60 * MINUTE)).toEqual(ended)
})

test('what strict order clears within its window ends with the windows before it', () => {
  const events = happened(['A', 0], ['X', 1], ['A', 30], ['X', 40])
  const bench = new FunnelBench({ ...AB, order: 'strict', semantics: 'posthog' }, events)
  const ended = [{ text: 'e1 window', endedAt: 20 * MINUTE }]
  expect(bench.inOneGo(60 * MINUTE)).toEqual(ended)
  expect(bench.continued(60 * MINUTE)).toEqual(ended)
})
