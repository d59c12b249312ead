/** `semantics: 'posthog'`, rule by rule as PostHog's funnels compute them. */

import { describe, expect, test } from 'vitest'
import type { EventFunnel } from '../../pipeline/definition/funnel.ts'
import { attemptsOf } from '../support/histories/funnel-history.ts'

const AB = { steps: ['A', 'B'], within: '1h', semantics: 'posthog' as const }
const ABC = { ...AB, steps: ['A', 'B', 'C'] }
const strict = { ...AB, order: 'strict' as const }
/** X between the first two steps. */
const without = (funnel: Omit<EventFunnel, 'id'>) => ({
  ...funnel,
  exclude: [{ event: 'X', between: [1, 2] as [number, number] }],
})

test.each<[string, Omit<EventFunnel, 'id'>, string, string[]]>([
  [
    'keeps what an older entry reached',
    ABC,
    '10:00 A\n10:10 B\n10:20 A\n10:50 C',
    ['e1 e2 e4 converted'],
  ],
  ['enters again with the latest first step', AB, '10:00 A\n10:50 A\n11:20 B', ['e2 e3 converted']],
  ['includes the end of the window', AB, '10:00 A\n11:00 B', ['e1 e2 converted']],
  ['ends with the window', AB, '10:00 A\n11:01 B\n11:02 X', ['e1 window']],
  [
    'counts one conversion of a profile',
    AB,
    '10:00 A\n10:10 B\n10:20 A\n10:30 B',
    ['e1 e2 converted'],
  ],
  [
    'uses another event for a repeated step',
    { ...AB, steps: ['A', 'A'] },
    '10:00 A',
    ['e1 pending'],
  ],
  [
    'skips an optional step',
    { ...ABC, steps: ['A', { event: 'B', optional: true }, 'C'] },
    '10:00 A\n10:10 C',
    ['e1 e2 converted'],
  ],
  [
    'takes an optional step',
    { ...ABC, steps: ['A', { event: 'B', optional: true }, 'C'] },
    '10:00 A\n10:05 B\n10:10 C',
    ['e1 e2 e3 converted'],
  ],
])('%s', (_rule, funnel, history, expected) => {
  expect(attemptsOf(funnel, history)).toEqual(expected)
})

describe('strict order', () => {
  test.each<[string, string, string[]]>([
    ['accepts steps that follow each other', '10:00 A\n10:10 B', ['e1 e2 converted']],
    ['forgets the entry after any other event', '10:00 A\n10:05 Y\n10:10 B', ['e1 pending']],
    ['enters again after another event', '10:00 A\n10:05 Y\n10:10 A\n10:15 B', ['e3 e4 converted']],
    ['is ignored among events of one instant', '10:00 A\n10:05 Y\n10:05 B', ['e1 e3 converted']],
  ])('%s', (_rule, history, expected) => {
    expect(attemptsOf(strict, history)).toEqual(expected)
  })
})

describe('an exclusion', () => {
  test.each<[string, Omit<EventFunnel, 'id'>, string, string[]]>([
    ['removes a profile whose only chain it taints', AB, '10:00 A\n10:05 X\n10:10 B', []],
    ['removes a profile at the first step too', AB, '10:00 A\n10:05 X', []],
    ['does nothing before the entry', AB, '09:59 X\n10:00 A\n10:10 B', ['e2 e3 converted']],
    [
      'does nothing after its steps',
      ABC,
      '10:00 A\n10:05 B\n10:06 X\n10:10 C',
      ['e1 e2 e4 converted'],
    ],
    ['does nothing after the window', AB, '10:00 A\n11:01 X', ['e1 window']],
    [
      'is cleared by a clean chain as deep',
      AB,
      '10:00 A\n10:05 X\n10:06 B\n10:07 A\n10:08 B',
      ['e4 e5 converted'],
    ],
    [
      'is cleared at the first step by a new entry',
      AB,
      '10:00 A\n10:05 X\n10:06 A',
      ['e3 pending'],
    ],
    [
      'is not cleared by a clean chain that is less deep',
      ABC,
      '10:00 A\n10:05 X\n10:06 B\n10:07 A',
      [],
    ],
    [
      'is ignored among events of one instant',
      AB,
      '10:00 A\n10:05 X\n10:05 B',
      ['e1 e3 converted'],
    ],
  ])('%s', (_rule, funnel, history, expected) => {
    expect(attemptsOf(without(funnel), history)).toEqual(expected)
  })
})

test('takes events of one instant in the order of the steps', () => {
  expect(attemptsOf(AB, '10:00 B\n10:00 A')).toEqual(['e2 e1 converted'])
})
