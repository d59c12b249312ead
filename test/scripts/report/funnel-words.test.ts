/** Options of funnels as sentences. */

import { expect, test } from 'vitest'
import { eventOptions, journeyOptions } from '../../../pipeline/definition/funnel.ts'
import { funnelWords } from '../../../scripts/report/funnel-words.ts'

const STEPS = ['Viewed', 'Added', 'Ordered']

test('the defaults of a funnel of events are words', () => {
  const options = eventOptions({ id: 'f', steps: STEPS, within: '7d' })
  expect(funnelWords(JSON.stringify(options))).toBe(
    'Within 7d of the entry; steps in this order, other events may come between; ' +
      'every first step opens an attempt; counted by attempt.',
  )
})

test('a funnel of a journey without a window has no time limit', () => {
  const options = journeyOptions({ steps: ['cart', 'bought'], order: 'strict', entry: 'latest' })
  expect(funnelWords(JSON.stringify(options))).toBe(
    'No time limit; steps in this order, nothing may come between; ' +
      'the last entry before the second step counts; counted by run of the journey.',
  )
})

test('exclusions, constants and other semantics are words', () => {
  const options = eventOptions({
    id: 'f',
    steps: STEPS,
    within: '1h',
    order: 'any',
    count: 'profiles',
    ties: 'strict-increase',
    holdConstant: ['properties.sku', 'source'],
    exclude: [
      { event: 'Left', where: { property: 'cause', eq: 'price' }, effect: 'remove-profile' },
    ],
  })
  const words = funnelWords(JSON.stringify(options))
  expect(words).toContain(
    'steps in any order; every first step opens an attempt; counted by person',
  )
  expect(words).toContain('each step later than the one before')
  expect(words).toContain('with the same properties.sku and source at every step')
  expect(words).toContain('Left where cause is price between steps 1 and 3 removes the person.')
  expect(words).not.toContain('{')
  const other = eventOptions({ id: 'f', steps: STEPS, within: '1h', semantics: 'clickhouse' })
  expect(funnelWords(JSON.stringify(other))).toContain('by the rules of clickhouse')
})
