/** Static checks of funnels. Each error names the file, the place and the fix. */

import { expect, test } from 'vitest'
import emailReturn from '../../definitions/funnels/email_return.ts'
import firstPurchase from '../../definitions/funnels/first_purchase.ts'
import { checkFunnel } from '../../pipeline/definition/check/check-funnel.ts'
import { checkJourney } from '../../pipeline/definition/check/check-journey.ts'

const sound = { id: 'f', steps: ['A', 'B', 'C'], within: '7d' }
const problemsOf = (change: object) => checkFunnel('f.ts', { ...sound, ...change })

test.each([
  ['the smallest funnel', sound],
  [
    'a funnel with every option',
    {
      ...sound,
      version: 2,
      steps: [
        'A',
        { event: 'B', where: { property: 'p', in: [1] }, optional: true },
        { event: 'C', within: '1d', minGap: '1s' },
      ],
      order: 'strict',
      entry: 'latest',
      count: 'sessions',
      exclude: [
        {
          event: 'X',
          where: { not: { field: 'source', eq: 'ios' } },
          between: [1, 2],
          effect: 'remove-profile',
        },
      ],
      holdConstant: ['properties.sku', 'context.campaign.source'],
      ties: 'strict-increase',
      semantics: 'native',
    },
  ],
  [
    'ClickHouse in two modes',
    { ...sound, semantics: { clickhouse: ['strict_order', 'strict_once'] } },
  ],
  ['sixty-four steps', { ...sound, steps: Array.from({ length: 64 }, (_, i) => `s${i}`) }],
  ['the sample', firstPurchase],
  ['the other sample', emailReturn],
])('accepts %s', (_, funnel) => {
  expect(checkFunnel('f.ts', funnel)).toEqual([])
})

test.each<[object, string]>([
  [
    { id: 'a b' },
    'f.ts: id "a b" is not a valid name; write letters, digits, _ and -, not beginning with a digit or -',
  ],
  [{ version: 0 }, 'f.ts: version 0 is not a version number; write 1, 2, 3 …'],
  [
    { step: [] },
    'f.ts: step is unknown; write one of id, version, steps, within, order, entry, count, exclude, holdConstant, ties, semantics',
  ],
  [{ steps: [] }, 'f.ts: it has no steps; write steps: [event, …]'],
  [
    { steps: Array.from({ length: 65 }, () => 'A') },
    'f.ts: it has 65 steps; write at most 64, or split it',
  ],
  [{ steps: ['A', 7] }, 'f.ts: step 2: event 7 is not an event name; write a text'],
  [
    { steps: [{ event: 'A', within: '1d' }, 'B'] },
    'f.ts: step 1: within has no previous step to be measured from; remove it',
  ],
  [
    { steps: ['A', { event: 'B', minGap: '0s' }] },
    'f.ts: step 2: minGap "0s" is not a duration; write a number above 0 and one of ms s m h d w, such as 30m',
  ],
  [
    { steps: ['A', { event: 'B', optional: true }] },
    'f.ts: step 2: the last step converts an attempt and cannot be optional; remove it',
  ],
  [
    { steps: ['A', { event: 'B', where: { count: 'A', eq: 2 } }] },
    'f.ts: step 2: guard: count depends on an instance; write one of property, context, field, all, any, not',
  ],
  [
    { steps: ['A', { event: 'B', where: { any: [{ in: 'main.s' }] } }] },
    'f.ts: step 2: guard: in depends on an instance; write one of property, context, field, all, any, not',
  ],
  [
    { steps: ['A', { event: 'B', where: { property: 'x' } }] },
    'f.ts: step 2: guard on property "x" has no operator; write one of eq, ne, gt, gte, lt, lte, in, exists, startsWith, contains',
  ],
  [
    { within: undefined },
    "f.ts: within is missing: an attempt would never end; write within: '7d'",
  ],
  [
    { within: 'soon' },
    'f.ts: within "soon" is not a duration; write a number above 0 and one of ms s m h d w, such as 30m',
  ],
  [{ order: 'loose' }, 'f.ts: order "loose" is unknown; write one of sequential, strict, any'],
  [{ entry: 'last' }, 'f.ts: entry "last" is unknown; write one of every, first, latest'],
  [
    { count: 'instances' },
    'f.ts: count "instances" is unknown; write one of attempts, profiles, sessions',
  ],
  [
    { ties: 'arrival' },
    'f.ts: ties "arrival" is unknown; write one of step-order, strict-increase',
  ],
  [
    { holdConstant: 'sku' },
    `f.ts: holdConstant "sku" is not a list; write ['properties.product_id']`,
  ],
  [
    { holdConstant: ['sku'] },
    `f.ts: holdConstant: "sku" is not a path into an event; write 'properties.sku' or 'context.sku'`,
  ],
  [
    { holdConstant: [] },
    `f.ts: holdConstant lists no path; write ['properties.product_id'] or leave it out`,
  ],
  [
    { steps: ['A', { event: 'B', where: { property: 'properties.v', eq: 1 } }, 'C'] },
    `f.ts: step 2: guard on property "properties.v": the path begins inside properties; write 'v'`,
  ],
  [
    { exclude: [{ event: 'X', between: [2, 2] }] },
    'f.ts: exclude 1: between [2,2] are not two steps of 3; write [1, 2], the earlier first',
  ],
  [
    { exclude: [{ event: 'X', effect: 'ban' }] },
    'f.ts: exclude 1: effect "ban" is unknown; write one of end-attempt, remove-profile',
  ],
  [
    { order: 'any', steps: ['A', { event: 'B', minGap: '1s' }] },
    "f.ts: step 2: minGap needs an order; remove it, or remove order 'any'",
  ],
  [
    { semantics: { clickhouse: ['loose'] } },
    `f.ts: semantics {"clickhouse":["loose"]} is unknown; write 'native', 'posthog', 'clickhouse' or { clickhouse: [strict_order, strict_deduplication, strict_increase, strict_once, allow_reentry] }`,
  ],
  [
    { semantics: { clickhouse: ['allow_reentry'] } },
    'f.ts: semantics: allow_reentry needs strict_order; add it, or remove allow_reentry',
  ],
  [
    { semantics: 'posthog', entry: 'first' },
    'f.ts: entry does not apply to PostHog semantics; remove it or semantics',
  ],
  [
    { semantics: 'posthog', order: 'any' },
    "f.ts: order 'any' does not apply to PostHog semantics; remove it or semantics",
  ],
  [
    { semantics: 'posthog', exclude: [{ event: 'x', effect: 'end-attempt' }] },
    'f.ts: exclude 1: effect does not apply to PostHog semantics; remove it',
  ],
  [
    { semantics: 'clickhouse', entry: 'first' },
    'f.ts: entry does not apply to ClickHouse semantics; remove it or semantics',
  ],
])('reports %j', (change, problem) => {
  expect(problemsOf(change)).toEqual([problem])
})

test('reports a default export that is not a funnel', () => {
  const fix = 'export default defineFunnel({ … })'
  expect(checkFunnel('f.ts', 7)).toEqual([`f.ts: the default export is not a funnel; ${fix}`])
})

const journey = (funnel: object) => ({
  id: 'j',
  version: 1,
  initial: 'a',
  states: { a: { on: { X: 'b' } }, b: { type: 'final' } },
  funnels: { way: funnel },
})

test.each<[object, string[]]>([
  [{ steps: ['a', { state: 'main.b', within: '1h' }], entry: 'every', count: 'profiles' }, []],
  [
    { steps: ['a', 'c'] },
    ['j.ts: funnel way: step "c" is not a state; write one of a, main.a, b, main.b'],
  ],
  [
    { steps: ['a', 'b'], order: 'any' },
    ['j.ts: funnel way: order "any" is unknown; write one of sequential, strict'],
  ],
  [
    { steps: ['a', 'b'], count: 'sessions' },
    ['j.ts: funnel way: count "sessions" is unknown; write one of attempts, profiles, instances'],
  ],
  [
    { steps: ['a', { state: 'b', where: {} }] },
    ['j.ts: funnel way, step 2: where is unknown; write one of state, within, minGap, optional'],
  ],
])("checks a journey's funnel %j", (funnel, problems) => {
  expect(checkJourney('j.ts', journey(funnel))).toEqual(problems)
})
