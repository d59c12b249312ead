/**
 * Type tests. `npm run typecheck` checks them: an expected error that does not occur is an error.
 * Running them shows only that definitions are returned unchanged.
 */

import { expect, test } from 'vitest'
import '../../definitions/events.ts'
import { defineFunnel, defineJourney } from '../../pipeline/definition/define.ts'

test('a valid journey of one track compiles', () => {
  const journey = defineJourney({
    id: 'sound',
    version: 1,
    initial: 'browsing',
    startOn: ['Product Viewed'],
    states: {
      browsing: { on: { 'Product Added': 'cart' } },
      cart: {
        on: {
          'Order Completed': [
            { target: 'bought', guard: { visits: 'cart', gte: 1 } },
            {
              target: 'bought',
              guard: { all: [{ in: 'main.cart' }, { count: 'Page Viewed', lt: 9 }] },
            },
            'browsing',
          ],
        },
        after: { '1h': 'browsing' },
      },
      bought: { type: 'final' },
    },
    funnels: { purchase: { steps: ['browsing', 'bought'] } },
  })
  expect(journey.id).toBe('sound')
})

test('a valid journey of two tracks compiles', () => {
  const journey = defineJourney({
    id: 'tracks',
    version: 1,
    type: 'parallel',
    states: {
      pay: {
        initial: 'open',
        states: { open: { on: { 'Order Completed': 'paid' } }, paid: { type: 'final' } },
      },
      ship: {
        initial: 'waiting',
        states: {
          waiting: { on: { 'Page Viewed': { target: 'sent', guard: { in: 'pay.paid' } } } },
          sent: { type: 'final' },
        },
      },
    },
  })
  expect(journey.type).toBe('parallel')
})

test('names that do not exist do not compile', () => {
  const head = { id: 'wrong', version: 1, initial: 'a' } as const
  // @ts-expect-error: state c does not exist.
  defineJourney({ ...head, states: { a: { on: { 'Page Viewed': 'c' } }, b: {} } })
  // @ts-expect-error: this event does not exist.
  defineJourney({ ...head, states: { a: { on: { 'Page Vewed': 'b' } }, b: {} } })
  // @ts-expect-error: the initial state does not exist.
  defineJourney({ id: 'wrong', version: 1, initial: 'z', states: { a: {}, b: {} } })
  // @ts-expect-error: a start event that does not exist.
  defineJourney({ ...head, startOn: ['Nothing'], states: { a: {}, b: {} } })
  // @ts-expect-error: an ignored event that does not exist.
  defineJourney({ ...head, states: { a: { ignore: ['Nothing'] }, b: {} } })
  // @ts-expect-error: a timeout to a state that does not exist.
  defineJourney({ ...head, states: { a: { after: { '1h': 'z' } }, b: {} } })
  // @ts-expect-error: a funnel step that does not exist.
  defineJourney({ ...head, states: { a: {}, b: {} }, funnels: { f: { steps: ['z'] } } })
  defineJourney({
    ...head,
    states: {
      // @ts-expect-error: a guard on a state that does not exist.
      a: { on: { 'Page Viewed': { target: 'b', guard: { visits: 'z', gte: 1 } } } },
      b: {},
    },
  })
  defineJourney({
    ...head,
    states: {
      // @ts-expect-error: a guard that counts an event that does not exist.
      a: { on: { 'Page Viewed': { target: 'b', guard: { count: 'Nothing', gte: 1 } } } },
      b: {},
    },
  })
  defineJourney({
    id: 'wrong',
    version: 1,
    // @ts-expect-error: no overload matches.
    type: 'parallel',
    states: {
      // @ts-expect-error: a target in the other track.
      pay: { initial: 'open', states: { open: { on: { 'Page Viewed': 'sent' } } } },
      // @ts-expect-error: the other track of the same call, checked as a state.
      ship: { initial: 'sent', states: { sent: {} } },
    },
  })
})

test('a funnel of existing events compiles', () => {
  const funnel = defineFunnel({
    id: 'sale',
    steps: ['Product Viewed', { event: 'Order Completed', where: { property: 'value', gte: 1 } }],
    within: '7d',
    exclude: [{ event: 'Payment Failed', effect: 'remove-profile' }],
  })
  expect(funnel.id).toBe('sale')
  defineFunnel({
    id: 'typo',
    // @ts-expect-error this event does not exist
    steps: ['Product Vewed'],
    within: '7d',
  })
  defineFunnel({
    id: 'instance',
    // @ts-expect-error a step can check the event only
    steps: ['Product Viewed', { event: 'Order Completed', where: { visits: 'cart', gte: 1 } }],
    within: '7d',
  })
})
