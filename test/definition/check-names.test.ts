/** Checks of event and property names in definitions against `events.ts`. */

import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { checkCohort } from '../../pipeline/definition/check/check-cohort.ts'
import { checkJourney } from '../../pipeline/definition/check/check-journey.ts'
import { checkNames, type NamedDefinitions } from '../../pipeline/definition/check/check-names.ts'
import type { Cohort } from '../../pipeline/definition/cohort.ts'
import type { EventFunnel } from '../../pipeline/definition/funnel.ts'
import type { Journey } from '../../pipeline/definition/journey.ts'
import { nearestName } from '../../pipeline/definition/check/near-name.ts'

const EVENTS = {
  'Product Viewed': null,
  'Product Added': z.object({ price: z.number().nullish(), item: z.object({ sku: z.string() }) }),
  'Order Completed': z.strictObject({ value: z.number() }),
  'Cart Shared': z.looseObject({ channel: z.string() }),
  Refunded: z.union([z.object({ amount: z.number() }), z.object({ share: z.number() })]),
}

const journey = (change: Partial<Journey> = {}, states: object = {}) =>
  ({
    id: 'buy',
    version: 1,
    initial: 'cart',
    states: { cart: { on: { 'Order Completed': 'bought' } }, bought: { type: 'final' }, ...states },
    ...change,
  }) as Journey

function found(
  parts: {
    journey?: Journey
    funnel?: Partial<EventFunnel>
    cohort?: Cohort
    splitOn?: string[]
  },
  unknown: 'accept' | 'refuse' = 'accept',
) {
  const funnel = { id: 'f', steps: ['Product Viewed'], within: '1d', ...parts.funnel }
  const definitions: NamedDefinitions = {
    sessions: { file: 'sessions.ts', definition: { splitOn: parts.splitOn ?? [] } },
    journeys: [{ file: 'j.ts', definition: parts.journey ?? journey() }],
    funnels: [{ file: 'f.ts', definition: funnel }],
    cohorts: parts.cohort === undefined ? [] : [{ file: 'c.ts', definition: parts.cohort }],
  }
  return checkNames(definitions, { events: EVENTS, unknown })
}

const candidate = (event: string, guard: object) =>
  journey({}, { cart: { on: { [event]: { target: 'bought', guard } } } })

const addEvent = (name: string) => `if it is another event, add '${name}': null there`
const ORDER_SLIP = `event 'Order Complted' is not in events.ts; did you mean 'Order Completed'? ${addEvent('Order Complted')}`

describe('misspelt event names', () => {
  test.each<[place: string, parts: Parameters<typeof found>[0], where: string]>([
    ['on', { journey: journey({ on: { 'Order Complted': 'cart' } }) }, 'j.ts: root: on'],
    ['startOn', { journey: journey({ startOn: ['Order Complted'] }) }, 'j.ts: startOn'],
    [
      'ignore',
      { journey: journey({}, { cart: { ignore: ['Order Complted'] } }) },
      'j.ts: state cart: ignore',
    ],
    [
      'a count guard',
      { journey: candidate('Product Viewed', { not: { count: 'Order Complted', gte: 2 } }) },
      "j.ts: state cart, on 'Product Viewed': guard on count",
    ],
    [
      'a guard on the name',
      { journey: candidate('Product Viewed', { field: 'name', in: ['Order Complted'] }) },
      "j.ts: state cart, on 'Product Viewed': guard on name",
    ],
    ['a step', { funnel: { steps: ['Product Viewed', 'Order Complted'] } }, 'f.ts: step 2'],
    ['an exclusion', { funnel: { exclude: [{ event: 'Order Complted' }] } }, 'f.ts: exclude 1'],
    [
      'the guard of a step',
      {
        funnel: {
          steps: [{ event: 'Product Viewed', where: { field: 'name', eq: 'Order Complted' } }],
        },
      },
      'f.ts: step 1: guard on name',
    ],
    [
      'the guard of a timer',
      {
        journey: journey(
          {},
          {
            cart: {
              after: { '1h': { target: 'bought', guard: { count: 'Order Complted', gte: 1 } } },
            },
          },
        ),
      },
      "j.ts: state cart, after '1h': guard on count",
    ],
    [
      'a cohort',
      {
        cohort: {
          id: 'c',
          who: {
            all: [
              {
                not: {
                  journey: 'buy',
                  reached: 'bought',
                  where: { field: 'name', eq: 'Order Complted' },
                },
              },
            ],
          },
        },
      },
      'c.ts: who.all[0].not: guard on name',
    ],
  ])('rejects one in %s', (_place, parts, where) => {
    expect(found(parts)).toEqual({ errors: [`${where}: ${ORDER_SLIP}`], warnings: [] })
  })

  test('rejects one in a parallel journey and in a track of it', () => {
    const { id, version, ...track } = journey({ on: { 'Order Complted': 'cart' } })
    const ignore = ['Order Complted']
    const parallel = { id, version, type: 'parallel', ignore, states: { pay: track } } as Journey
    expect(found({ journey: parallel }).errors).toEqual([
      `j.ts: ignore: ${ORDER_SLIP}`,
      `j.ts: track pay, root: on: ${ORDER_SLIP}`,
    ])
  })
})

test('warns of an event unlike any known one, and rejects it if unknown is "refuse"', () => {
  const parts = { funnel: { steps: ['Ticket Opened'] } }
  const what = `f.ts: step 1: event 'Ticket Opened' is not in events.ts; ${addEvent('Ticket Opened')}`
  expect(found(parts)).toEqual({ errors: [], warnings: [what] })
  expect(found(parts, 'refuse')).toEqual({ errors: [what], warnings: [] })
})

test('accepts any name if events.ts declares no event', () => {
  const modules = {
    sessions: { file: 'sessions.ts', definition: {} },
    journeys: [{ file: 'j.ts', definition: journey() }],
    funnels: [],
    cohorts: [],
  }
  expect(checkNames(modules, { events: {} })).toEqual({ errors: [], warnings: [] })
})

const inEvents = "in events.ts; did you mean 'price'? if it is another property, add it there"

describe('paths of properties', () => {
  test.each<[what: string, event: string, path: string]>([
    ['in the schema', 'Product Added', 'price'],
    ['below an object', 'Product Added', 'item.sku'],
    ['in one of several schemas', 'Refunded', 'share'],
    ['of an event without a schema', 'Product Viewed', 'anything'],
    ['outside a loose schema', 'Cart Shared', 'anything'],
  ])('accepts one %s', (_what, event, path) => {
    const guarded = candidate(event, { property: path, exists: true })
    expect(found({ journey: guarded }, 'refuse')).toEqual({ errors: [], warnings: [] })
  })

  test.each<[what: string, event: string, path: string, errors: number, warnings: number]>([
    ['that is misspelt', 'Product Added', 'pirce', 1, 0],
    ['that is misspelt below an object', 'Product Added', 'item.skuu', 1, 0],
    ['that is misspelt in a loose schema', 'Cart Shared', 'chanel', 1, 0],
    ['below a number', 'Product Added', 'price.amount', 1, 0],
    ['that a strict schema refuses', 'Order Completed', 'coupon', 1, 0],
    ['that a schema does not list', 'Product Added', 'coupon', 0, 1],
  ])('reports one %s', (_what, event, path, errors, warnings) => {
    const result = found({ journey: candidate(event, { property: path, exists: true }) })
    expect([result.errors.length, result.warnings.length]).toEqual([errors, warnings])
  })

  test('checks a path for every event to which a key, held value, split or cohort can apply', () => {
    const key = { property: 'pirce' }
    const keyed = journey({ key, startOn: ['Product Viewed', 'Product Added'] })
    const split = found({ splitOn: ['properties.pirce', 'context.pirce'] }).errors
    expect(found({ journey: keyed }).errors).toEqual([
      `j.ts: key: property 'pirce' is not in the schema ${inEvents}`,
    ])
    expect(split).toEqual([
      `sessions.ts: splitOn: property 'pirce' is not in the schema ${inEvents}`,
    ])
    const steps = ['Product Viewed', 'Product Added']
    expect(found({ funnel: { steps, holdConstant: ['properties.pirce'] } }).errors).toEqual([
      `f.ts: holdConstant: property 'pirce' is not in the schema of 'Product Added' ${inEvents}`,
    ])
    const where = { property: 'valeu', exists: true } as const
    expect(
      found({ cohort: { id: 'c', who: { journey: 'buy', reached: 'bought', where } } }).errors,
    ).toEqual([
      "c.ts: who: guard: property 'valeu' is not in the schema of 'Order Completed' in events.ts; " +
        "did you mean 'value'? if it is another property, add it there",
    ])
    expect(found({ journey: journey({ key: { property: 'order' }, startOn: steps }) })).toEqual({
      errors: [],
      warnings: [],
    })
  })
})

test('suggests the nearest state for an unknown one', () => {
  expect(checkJourney('j.ts', journey({ initial: 'carts' }))).toContain(
    `j.ts: initial: initial "carts" is not a state; did you mean 'cart'? write one of cart, bought`,
  )
  const cohort = { id: 'c', who: { journey: 'buy', reached: 'bougth' } }
  expect(checkCohort('c.ts', cohort, [journey()])).toEqual([
    `c.ts: who: reached "bougth" is not a state of buy; did you mean 'bought'? write one of cart, bought`,
  ])
})

test.each<[name: string, known: string[], nearest: ReturnType<typeof nearestName>]>([
  ['order_completed', ['Order Completed'], { name: 'Order Completed', isSlip: true }],
  [
    'Order Compelted',
    ['Order Created', 'Order Completed'],
    { name: 'Order Completed', isSlip: true },
  ],
  ['Signed In', ['Signed Up'], { name: 'Signed Up', isSlip: false }],
  ['B', ['A'], null],
  ['Refund', [], null],
  ['x'.repeat(100_000), ['y'.repeat(100_000)], null],
])('finds the name nearest to %.20s', (name, known, nearest) => {
  expect(nearestName(name, known)).toEqual(nearest)
})
