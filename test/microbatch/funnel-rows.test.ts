/** Funnel tables: current rows, earlier versions, and why they changed. */

import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import type { Journey } from '../../pipeline/definition/journey.ts'
import { Harness } from '../support/dump.ts'

const order: Journey = {
  id: 'order',
  version: 3,
  initial: 'cart',
  startOn: ['Added'],
  states: {
    cart: { on: { Checkout: 'checkout', Cancelled: 'lost' } },
    checkout: { on: { Paid: 'paid', Removed: 'cart' }, after: { '2h': 'lost' } },
    paid: { type: 'final' },
    lost: { type: 'final' },
  },
  restart: true,
  funnels: { sale: { steps: ['cart', 'checkout', 'paid'], within: '1d' } },
}

const definitions = makeDefinitions({
  journeys: [order],
  funnels: [
    {
      id: 'visit',
      steps: ['Seen', { event: 'Added', optional: true }, 'Paid'],
      within: '1h',
      count: 'profiles',
    },
  ],
})

let harness: Harness
beforeEach(() => (harness = new Harness(definitions)))
afterEach(() => harness.warehouse.close())

/** Returns an input line for `10:00 u1 Seen`; the id is the whole text. */
function event(text: string, source = 'web'): string {
  const [time = '', who = '', name = ''] = text.split(' ')
  return JSON.stringify({
    event_id: text,
    name,
    source,
    occurred_at: `2026-03-01T${time}:00Z`,
    identifiers: who.startsWith('d') ? { anonymous_id: who } : { user_id: who },
  })
}

const at = (time: string) => Date.parse(`2026-03-01T${time}:00Z`) * 1_000

/** Returns the rows of a query, each as one text. */
async function rows(sql: string): Promise<string[]> {
  return (await harness.warehouse.query(sql)).map((row) =>
    Object.values(row)
      .map((value) => (value === null ? '-' : String(value)))
      .join(' '),
  )
}

const attempts = (funnel: string) =>
  rows(`select profile_id, attempt_no, deepest_step, outcome, ended_because
    from funnel_attempts where funnel = '${funnel}' order by profile_id, attempt_no`)

test('an attempt is pending until its window has passed, without any further event', async () => {
  await harness.feed([event('10:00 u1 Seen')], at('11:00'))
  expect(await attempts('visit')).toEqual(['user_id:u1 1 1 pending pending'])
  await harness.feed([], at('11:00') + 1)
  expect(await attempts('visit')).toEqual(['user_id:u1 1 1 dropped window'])
  expect(
    await rows(`select outcome, superseded_because from funnel_attempt_versions
      order by recorded_at`),
  ).toEqual(['pending progress', 'dropped -'])
})

test('a conversion is progress, and has its time and duration', async () => {
  await harness.feed([event('10:00 u1 Seen', 'mail')])
  harness.restart()
  await harness.feed([event('10:20 u1 Paid')])
  expect(
    await rows(`select source, event_id, session_id, outcome, converted_at - entered_at,
      time_to_convert_ms from funnel_attempts`),
  ).toEqual(['mail 10:00 u1 Seen 10:00 u1 Seen converted 00:20:00 1200000'])
  expect(
    await rows('select step_no, step, event_id from funnel_attempt_steps order by step_no'),
  ).toEqual(['1 Seen 10:00 u1 Seen', '3 Paid 10:20 u1 Paid'])
})

test('a late step supersedes what the watermark had decided', async () => {
  await harness.feed([event('10:00 u1 Seen'), event('13:00 u2 Seen')])
  expect(await attempts('visit')).toContain('user_id:u1 1 1 dropped window')
  const then = (await harness.pipeline()).head.recordedAt
  await harness.feed([event('10:30 u1 Paid')])
  expect(await attempts('visit')).toContain('user_id:u1 1 3 converted converted')
  const because = `select outcome, superseded_because from funnel_attempt_versions
    where profile_id = 'user_id:u1' order by recorded_at`
  expect(await rows(because)).toEqual(['dropped late_event', 'converted -'])
  const before = `select outcome from funnel_attempts_as_of(make_timestamptz(${then}))
    where profile_id = 'user_id:u1'`
  expect(await rows(before)).toEqual(['dropped'])
})

test('merging people brings their steps together', async () => {
  await harness.feed([event('10:00 d1 Seen'), event('10:10 u1 Paid')])
  expect(await attempts('visit')).toEqual(['anonymous_id:d1 1 1 pending pending'])
  const both = {
    event_id: 'both',
    name: 'Signed In',
    occurred_at: '2026-03-01T10:20:00Z',
    identifiers: { anonymous_id: 'd1', user_id: 'u1' },
  }
  await harness.feed([JSON.stringify(both)])
  expect(await attempts('visit')).toEqual(['user_id:u1 1 3 converted converted'])
})

test('an attempt of a journey belongs to its instance and ends with it', async () => {
  await harness.feed([
    event('10:00 u1 Added'),
    event('10:05 u1 Checkout'),
    event('10:06 u1 Removed'),
    event('10:10 u1 Checkout'),
    event('10:15 u1 Paid'),
    event('11:00 u1 Added'),
    event('11:05 u1 Cancelled'),
    event('12:00 u1 Added'),
  ])
  expect(await attempts('sale')).toEqual([
    'user_id:u1 1 3 converted converted',
    'user_id:u1 2 1 dropped final',
    'user_id:u1 3 1 pending pending',
  ])
  const named = `select distinct journey, version, instance_id = profile_id || '/' || event_id
    from funnel_attempts where funnel = 'sale'`
  expect(await rows(named)).toEqual(['order 3 true'])
})

test('a timeout that completes an instance ends its attempt', async () => {
  await harness.feed([event('10:00 u1 Added'), event('10:05 u1 Checkout')], at('12:05'))
  expect(await attempts('sale')).toEqual(['user_id:u1 1 2 dropped final'])
})

test('every step of every funnel is counted, including steps that nobody reached', async () => {
  await harness.feed(
    [
      event('10:00 u1 Seen'),
      event('10:10 u1 Added'),
      event('10:30 u1 Paid'),
      event('10:00 u2 Seen'),
      event('10:05 u2 Seen'),
      event('10:40 u3 Seen', 'mail'),
    ],
    at('11:02'),
  )
  const columns = 'step_no, step, reached, went_on, converted, dropped, pending'
  const rates = 'matured_count, round(matured_rate, 2), round(rate_of_all, 2)'
  const times = 'median_since_previous_ms / 60000'
  const ask = (funnel: string) =>
    rows(`select ${columns}, ${rates}, ${times} from funnel_steps where funnel = '${funnel}'
      order by step_no`)
  // u2 has two attempts; the second is still open.
  expect(await ask('visit')).toEqual([
    '1 Seen 3 1 1 0 2 1 - 0.33 -',
    '2 Added 1 1 1 0 0 1 1 1 10',
    '3 Paid 1 0 1 0 0 1 1 1 20',
  ])
  expect(await ask('sale')).toEqual([
    '1 cart 1 0 0 0 1 0 - 0 -',
    '2 checkout 0 0 0 0 0 0 - - -',
    '3 paid 0 0 0 0 0 0 - - -',
  ])
  const [options] = await rows("select distinct options from funnel_steps where funnel = 'visit'")
  expect(JSON.parse(options ?? '')).toEqual({
    within: '1h',
    order: 'sequential',
    entry: 'every',
    count: 'profiles',
    ties: 'step-order',
  })
})

test('a source is that of the entry, the first session, or the last before the end', async () => {
  await harness.feed([
    event('08:00 u1 Read', 'mail'),
    event('09:00 u1 Seen', 'ios'),
    event('09:45 u1 Paid', 'web'),
    event('12:00 u1 Read', 'radio'),
  ])
  expect(
    await rows(`select touch, source, entered, converted from funnel_by_source
      where funnel = 'visit' order by touch`),
  ).toEqual(['entry ios 1 1', 'first mail 1 1', 'last web 1 1'])
})
