/** Outcomes of final states: who has converted, who is lost, and declaring it without a replay. */

import { expect, test } from 'vitest'
import type { Journey } from '../../pipeline/definition/journey.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { Harness } from '../support/dump.ts'
import { expectTable } from '../support/expect-table.ts'
import { tell } from '../support/histories/history.ts'

type Outcomes = { [state: string]: 'success' | 'failure' | 'neutral' }

function order(outcomes: Outcomes): Journey {
  const final = (state: string) =>
    outcomes[state] === undefined
      ? { type: 'final' as const }
      : { type: 'final' as const, outcome: outcomes[state] }
  return {
    id: 'order',
    version: 1,
    initial: 'cart',
    startOn: ['Added'],
    states: {
      cart: { on: { Checkout: 'checkout', Cancelled: 'cancelled' }, after: { '3h': 'expired' } },
      checkout: { on: { Paid: 'paid', Failed: 'cart', Moved: 'moved' } },
      paid: final('paid'),
      cancelled: final('cancelled'),
      moved: final('moved'),
      expired: final('expired'),
    },
  }
}

const DECLARED: Outcomes = { paid: 'success', cancelled: 'failure', expired: 'failure' }

/** All but u5 go round once; u5 is in the cart at the end. */
const HISTORY = `
  at     user_id  event
  10:00  u1       Added
  10:10  u1       Checkout
  10:20  u1       Failed
  10:30  u1       Checkout
  10:40  u1       Paid
  10:00  u2       Added
  10:10  u2       Checkout
  10:20  u2       Failed
  10:30  u2       Cancelled
  10:00  u3       Added
  10:10  u3       Checkout
  10:20  u3       Failed
  10:30  u3       Checkout
  10:40  u3       Moved
  10:00  u4       Added
  10:10  u4       Checkout
  10:20  u4       Failed
  12:00  u5       Added
  12:10  u5       Checkout
  12:20  u5       Failed
`

test('cycle_summary counts successes as converted, failures as lost, and others as neither', async () => {
  const { warehouse } = await tell(HISTORY, { journeys: [order(DECLARED)], watermark: '13:30' })
  await expectTable(
    warehouse,
    'cycle_summary',
    `
    path                    instance_count  converted_count  converted_rate  lost_count  lost_profile_count  pending_count
    cart > checkout > cart  5               1                0.2             2           2                   1`,
  )
  await expectTable(
    warehouse,
    'laps',
    `
    lap_no  instance_count  converted_count  lost_count  leaving_converted_count
    1       5               1                2           1`,
  )
  await expectTable(
    warehouse,
    'next_after_drop_off',
    `
    drop_off   from_state  to_state   next_state  drop_off_count
    went_back  checkout    cart       checkout    2
    went_back  checkout    cart       cancelled   1
    went_back  checkout    cart       expired     1
    went_back  checkout    cart       -           1
    failed     cart        cancelled  -           1
    timed_out  cart        expired    -           1`,
  )
  await warehouse.close()
})

test('final_states are successes if none is declared, and neutral where others are', async () => {
  const none = await tell(HISTORY, { journeys: [order({})] })
  await expectTable(
    none.warehouse,
    'final_states',
    `
    state      outcome
    paid       success
    cancelled  success
    moved      success
    expired    success`,
  )
  await none.warehouse.close()
  const some = await tell(HISTORY, { journeys: [order({ cancelled: 'failure' })] })
  await expectTable(
    some.warehouse,
    'final_states',
    `
    state      outcome
    paid       neutral
    cancelled  failure
    moved      neutral
    expired    neutral`,
  )
  await some.warehouse.close()
})

test('declaring an outcome of a released version takes effect with the next batch', async () => {
  const harness = new Harness(makeDefinitions({ journeys: [order({})] }))
  await harness.feed(['10:00 Added', '10:10 Cancelled'].map(line))
  const { warehouse } = harness
  const before = await warehouse.query('select * from states order by state_id')
  const then = (await harness.pipeline()).head.recordedAt
  const declared = new Harness(makeDefinitions({ journeys: [order(DECLARED)] }), warehouse)
  const { waiting } = await declared.pipeline()
  expect(waiting).toEqual([])
  await declared.feed([])
  await expectTable(
    warehouse,
    'final_states',
    `
    state      outcome
    paid       success
    cancelled  failure
    moved      neutral
    expired    failure`,
  )
  await expectTable(
    warehouse,
    `final_states_as_of(make_timestamptz(${then}))`,
    `
    state      outcome
    paid       success
    cancelled  success
    moved      success
    expired    success`,
  )
  expect(await warehouse.query('select * from states order by state_id')).toEqual(before)
  // What is on record already is not written again.
  await declared.feed([])
  const [rows] = await warehouse.query('select count(*) as n from outcomes')
  expect(rows?.['n']).toBe(4 + 3)
  await warehouse.close()
})

test('the content of a release is the same whatever outcomes are declared', () => {
  const [without, declared] = [order({}), order(DECLARED)].map(
    (journey) => makeDefinitions({ journeys: [journey] }).releases,
  )
  expect(declared).toEqual(without)
  expect(JSON.stringify(declared)).not.toContain('outcome')
})

test('an outcome is one of three, and of a final state', () => {
  const check = (state: object) => () =>
    makeDefinitions({
      journeys: [{ ...order({}), states: { ...order({}).states, ...state } } as Journey],
    })
  expect(check({ paid: { type: 'final', outcome: 'won' } })).toThrow(
    'state paid: outcome "won" is unknown; write one of success, failure, neutral',
  )
  expect(
    check({
      checkout: { on: { Paid: 'paid', Failed: 'cart', Moved: 'moved' }, outcome: 'success' },
    }),
  ).toThrow(
    "state checkout: only a final state has an outcome; add type: 'final' or remove outcome",
  )
})

function line(text: string): string {
  const [time, name] = text.split(' ')
  return JSON.stringify({
    event_id: text,
    name,
    occurred_at: `2026-03-01T${time}:00Z`,
    identifiers: { user_id: 'u1' },
  })
}
