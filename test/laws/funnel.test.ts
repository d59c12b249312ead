/** Funnel stage compared with a slow reference, on random histories of one profile. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { eventStream } from '../support/arbitraries.ts'
import { funnel } from '../support/arbitraries-funnel.ts'
import {
  FunnelBench,
  type StoredAttempt,
  type GivenEvent,
} from '../support/histories/funnel-history.ts'
import { funnelRows } from '../reference/funnel.ts'
import { byCodePoint, inEventOrder } from '../reference/identity.ts'
import { runsOf } from '../support/long.ts'

const RUNS = runsOf('FUNNEL_RUNS', 500, 4_000)

test('attempts equal the slow reference, folded at once or continued', () => {
  const scene = fc.record({
    funnel,
    events: eventStream,
    later: fc.constantFrom(0, 1, 10 * 60_000_000, 3 * 3_600_000_000),
    sizes: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
    isLastApart: fc.boolean(),
  })
  fc.assert(
    fc.property(scene, ({ funnel: definition, events, later, sizes, isLastApart }) => {
      const watermark = Math.max(...events.map((event) => event.occurred_at)) + later
      const given = events.map((event, i): GivenEvent => ({
        id: event.event_id,
        name: event.name,
        at: event.occurred_at,
        ordinal: event.ordinal,
        source: event.source,
        session: `s${i % 2}`,
        properties: event.properties,
        context: event.context,
      }))
      const seen = events
        .map((event, i) => ({ event, profile_id: 'p', session_id: `s${i % 2}` }))
        .sort((a, b) => inEventOrder(a.event, b.event))
      const [attempts = [], steps = []] = funnelRows(definition, seen, watermark)
      const expected = attempts.map((attempt) => {
        const own = steps.filter((step) => step['attempt_id'] === attempt['attempt_id'])
        const text = [...own.map((step) => step['event_id']), attempt['ended_because']].join(' ')
        return { text, endedAt: attempt['ended_at'] }
      })
      const bench = new FunnelBench(definition, given)
      const actual = bench.inOneGo(watermark)
      expect(inTextOrder(actual)).toEqual(inTextOrder(expected))
      expect(bench.continued(watermark, sizes, isLastApart)).toEqual(actual)
    }),
    {
      numRuns: RUNS,
      ...(process.env['LAW_SEED'] ? { seed: Number(process.env['LAW_SEED']) } : {}),
    },
  )
})

function inTextOrder(attempts: StoredAttempt[]): StoredAttempt[] {
  return attempts.toSorted((a, b) => byCodePoint(sortKey(a), sortKey(b)))
}

function sortKey({ text, endedAt }: StoredAttempt): string {
  return `${text} ${endedAt}`
}
