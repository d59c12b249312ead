/** Funnels in any order find the best window: compared with every window there is. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FunnelBench, type GivenEvent } from '../support/histories/funnel-history.ts'

const SECOND = 1_000_000
const STEPS = ['A', 'B', 'C', 'D']
const WITHIN = 10

const history = fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.constantFrom(...STEPS)), {
  minLength: 1,
  maxLength: 14,
})

test('the deepest attempt in any order is as deep as the best of all windows', () => {
  fc.assert(
    fc.property(history, (gaps) => {
      let at = 0
      const given = gaps.map(([gap, name], i): GivenEvent => {
        at += gap
        return { id: `e${i}`, name, at: at * SECOND }
      })
      const depths = given.map((entry) => {
        const inWindow = given.filter(
          (one) => one.at >= entry.at && one.at <= entry.at + WITHIN * SECOND,
        )
        return new Set(inWindow.map(({ name }) => name)).size
      })
      const funnel = { steps: STEPS, within: `${WITHIN}s`, order: 'any' as const }
      const attempts = new FunnelBench(funnel, given).inOneGo(at * SECOND)
      const deepest = attempts.map(({ text }) => text.split(' ').length - 1)
      expect(Math.max(...deepest)).toBe(Math.max(...depths))
    }),
    { numRuns: 500 },
  )
})
