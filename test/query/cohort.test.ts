/** Conditions of cohorts over small histories: members at given times. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkCohort } from '../../pipeline/definition/check/check-cohort.ts'
import { parseInstant } from '../../pipeline/base/clock.ts'
import type { CohortCondition } from '../../pipeline/definition/cohort.ts'
import { cohortMembers } from '../../pipeline/query/run-cohorts.ts'
import type { Journey } from '../../pipeline/definition/journey.ts'
import type { Harness } from '../support/dump.ts'
import { tell } from '../support/histories/history.ts'

const order: Journey = {
  id: 'order',
  version: 1,
  initial: 'cart',
  startOn: ['Added'],
  states: {
    cart: { on: { Checkout: 'checkout', Removed: 'cart' }, after: { '1h': 'idle' } },
    checkout: { on: { Paid: 'paid', Failed: 'cart' } },
    idle: { on: { Back: 'cart' } },
    paid: { type: 'final' },
  },
  restart: true,
}
const ticket: Journey = {
  id: 'ticket',
  version: 1,
  type: 'parallel',
  startOn: ['Opened'],
  states: {
    desk: {
      initial: 'open',
      states: { open: { on: { Closed: 'done' } }, done: { type: 'final' } },
    },
    mood: {
      initial: 'calm',
      states: { calm: { on: { Cried: 'upset' } }, upset: { type: 'final' } },
    },
  },
}

/**
 * u1 pays after a failure, u2 pays at once and twice, u3 is idle and returns by phone, u4 stays in
 * the cart, u5 has a ticket and no order, u6 is only seen.
 */
const HISTORY = `
  at     user_id  source  event     props
  10:00  u1       web     Added     -
  10:10  u1       web     Checkout  {"value": 5}
  10:20  u1       web     Failed    -
  10:30  u1       ios     Checkout  {"value": 50}
  10:40  u1       ios     Paid      -
  10:00  u2       web     Added     -
  10:05  u2       web     Checkout  {"value": 50}
  10:06  u2       web     Paid      -
  12:00  u2       web     Added     -
  12:05  u2       web     Checkout  {"value": 5}
  12:06  u2       web     Paid      -
  10:00  u3       web     Added     -
  12:00  u3       ios     Back      -
  11:30  u4       web     Added     -
  11:30  u5       web     Opened    -
  11:40  u5       web     Cried     -
  11:50  u6       web     Seen      -
`

let history: Harness
beforeAll(async () => {
  history = await tell(HISTORY, { journeys: [order, ticket], watermark: '12:20' })
})
afterAll(() => history.warehouse.close())

const instant = (time: string) => parseInstant(`2026-03-01T${time}:00Z`) as number

async function membersOf(who: CohortCondition, time: string): Promise<string> {
  expect(checkCohort('cohort.ts', { id: 'asked', who }, [order, ticket])).toEqual([])
  const found: string[] = []
  const instants = { at: instant(time), believedAt: null }
  for await (const id of cohortMembers(history.warehouse, { id: 'asked', who }, instants)) {
    found.push(id.replace('user_id:', ''))
  }
  return found.join(' ')
}

const journey = 'order'
const paid = { journey, reached: 'paid' } as const
const cart = { journey, reached: 'cart' } as const

test.each<[string, CohortCondition, { [time: string]: string }]>([
  ['reached', paid, { '10:05': '', '10:06': 'u2', '10:39': 'u2', '12:20': 'u1 u2' }],
  ['reached, the initial state too', cart, { '09:59': '', '12:20': 'u1 u2 u3 u4' }],
  ['a timeout reaches as well', { journey, reached: 'idle' }, { '10:59': '', '11:00': 'u3' }],
  ['not: nor did who never began', { not: paid }, { '10:30': 'u1 u3', '12:20': 'u3 u4 u5 u6' }],
  ['times: at least, and exactly', { ...paid, times: { gte: 2 } }, { '12:05': '', '12:20': 'u2' }],
  ['times: none at all', { ...paid, times: { eq: 0 } }, { '12:20': 'u3 u4 u5 u6' }],
  ['times: fewer', { ...cart, times: { gte: 1, lt: 2 } }, { '12:20': 'u4', '11:59': 'u2 u3 u4' }],
  [
    'within: the last hour, its oldest instant left out',
    { ...paid, within: '1h' },
    { '10:40': 'u1 u2', '11:06': 'u1', '11:40': '', '12:20': 'u2' },
  ],
  ['where: the source', { ...paid, where: { field: 'source', eq: 'ios' } }, { '12:20': 'u1' }],
  [
    'where: a property, together with times',
    {
      journey,
      reached: 'checkout',
      where: { property: 'value', gte: 10 },
      times: { eq: 1 },
    },
    { '10:29': 'u2', '12:20': 'u1 u2' },
  ],
  [
    'where: a timeout has no event',
    { journey, reached: 'idle', where: { field: 'name', exists: true } },
    { '12:20': '' },
  ],
  ['in', { journey, in: 'cart' }, { '10:03': 'u1 u2 u3', '10:06': 'u1 u3', '12:20': 'u3 u4' }],
  ['in: a final state stays', { journey, in: 'paid' }, { '12:03': 'u1 u2' }],
  [
    'in: dwell',
    { journey, in: 'cart', dwell: { gte: '20m', lt: '50m' } },
    { '10:19': '', '10:20': 'u3', '10:49': 'u3', '10:50': '', '12:19': 'u4', '12:20': 'u3' },
  ],
  [
    'in: by such an event',
    { journey, in: 'cart', where: { field: 'source', eq: 'ios' } },
    { '12:20': 'u3' },
  ],
  [
    'inOrder: others may come between, in one instance or the next',
    { journey, inOrder: ['cart', 'cart', 'paid'] },
    { '10:40': 'u1', '12:20': 'u1 u2' },
  ],
  ['inOrder: not the other way', { journey, inOrder: ['paid', 'checkout'] }, { '12:20': 'u2' }],
  [
    'inOrder: span, from the latest beginning that serves',
    { journey, inOrder: ['cart', 'paid'], span: '20m' },
    { '12:20': 'u1 u2' },
  ],
  [
    'inOrder: span, its last instant included',
    { journey, inOrder: ['cart', 'checkout', 'paid'], span: '6m' },
    { '12:20': 'u2' },
  ],
  [
    'cycled',
    { journey, cycled: 'cart > checkout > cart' },
    { '10:19': '', '10:20': 'u1', '12:20': 'u1' },
  ],
  ['cycled: another way round', { journey, cycled: 'cart > idle > cart' }, { '12:20': 'u3' }],
  [
    'afterCycle: only what came after, in that instance',
    { ...paid, afterCycle: 'cart > checkout > cart' },
    { '10:20': '', '12:20': 'u1' },
  ],
  [
    'afterCycle: the closing move is not after it',
    { ...cart, afterCycle: 'cart > checkout > cart' },
    { '12:20': '' },
  ],
  ['all', { all: [cart, { not: paid }] }, { '12:20': 'u3 u4' }],
  ['any', { any: [paid, { journey: 'ticket', in: 'mood.upset' }] }, { '12:20': 'u1 u2 u5' }],
  ['a track', { journey: 'ticket', in: 'desk.open' }, { '11:29': '', '12:20': 'u5' }],
])('%s', async (_, who, expected) => {
  const found: typeof expected = {}
  for (const time of Object.keys(expected)) found[time] = await membersOf(who, time)
  expect(found).toEqual(expected)
})

test.each<[unknown, string]>([
  [{ journey: 'lost', reached: 'paid' }, 'who: journey "lost" is not defined; there is: order'],
  [
    { journey, reached: 'payed' },
    `who: reached "payed" is not a state of order; did you mean 'paid'? write one of cart, checkout, idle, paid`,
  ],
  [
    { not: { journey } },
    'who.not: {"journey":"order"} is not a condition; ' +
      'write one of all, any, not, reached, cycled, in, inOrder',
  ],
  [{ all: [] }, 'who: all is not a list of conditions; list at least one in it'],
  [
    { any: [{ ...paid, dwell: { gte: '1h' } }] },
    'who.any[0]: dwell is unknown; ' +
      'write one of journey, where, afterCycle, reached, times, within',
  ],
  [
    { journey, cycled: 'cart > checkout' },
    'who: cycled "cart > checkout" is not a cycle of order; ' +
      "write the states of one track and the first again, 'a > b > a'",
  ],
  [
    { journey, inOrder: ['cart'] },
    "who: inOrder is not a list of 2 to 64 states; write ['a', 'b']",
  ],
  [{ ...paid, times: { gte: -1 } }, 'who: times {"gte":-1} is not a count; write { gte: 2 }'],
  [
    { ...paid, within: 'a week' },
    'who: within "a week" is not a duration; write a number above 0 and one of ms s m h d w, ' +
      'such as 30m',
  ],
  [
    { journey, in: 'cart', dwell: {} },
    "who: dwell has no operator; write { gte: '10m' } or { lt: '10m' }",
  ],
  [
    { ...paid, where: { visits: 'cart', gte: 2 } },
    'who: guard: visits depends on an instance; write one of property, context, field, ' +
      'all, any, not',
  ],
  [undefined, 'who: nothing is not a condition; write { journey, reached: state }'],
])('rejects %j', (who, problem) => {
  expect(checkCohort('c.ts', { id: 'asked', who }, [order])).toEqual([`c.ts: ${problem}`])
})
