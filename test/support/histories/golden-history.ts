/**
 * History of the golden warehouses, in two halves: the first is in the files, the second continues
 * it. Each kind of state is left open by the first half and continued by the second: a session, a
 * person, instances, tracks, timeouts, funnel attempts, a cohort, effects, a dead letter, an erasure.
 */

import { rmSync } from 'node:fs'
import { parseInstant } from '../../../pipeline/base/clock.ts'
import type { Cohort } from '../../../pipeline/definition/cohort.ts'
import type { EventFunnel } from '../../../pipeline/definition/funnel.ts'
import type { Journey } from '../../../pipeline/definition/journey.ts'
import { makeDefinitions } from '../../../pipeline/definition/load.ts'
import { duckdbWarehouse } from '../../../pipeline/duckdb/warehouse.ts'
import { forget } from '../../../pipeline/operations/forget.ts'
import { runCohorts } from '../../../pipeline/query/run-cohorts.ts'
import { Harness } from '../dump.ts'

const checkout: Journey = {
  id: 'checkout',
  version: 1,
  initial: 'browsing',
  startOn: ['Viewed'],
  states: {
    browsing: { on: { Added: 'cart' } },
    cart: {
      on: { Removed: 'browsing', Paid: { target: 'paid', guard: { property: 'value', gte: 10 } } },
      after: { '1d': 'cold' },
      ignore: ['Viewed'],
    },
    cold: { on: { Added: 'cart' }, effects: [{ type: 'reminder' }] },
    paid: { type: 'final' },
  },
  restart: true,
  funnels: { purchase: { steps: ['browsing', 'cart', 'paid'], within: '3d' } },
}

const order: Journey = {
  id: 'order',
  version: 1,
  key: { property: 'order' },
  startOn: ['Paid'],
  type: 'parallel',
  states: {
    money: {
      initial: 'due',
      states: {
        due: { on: { Paid: 'held' } },
        held: { on: { Refunded: 'back' } },
        back: { type: 'final' },
      },
    },
    parcel: {
      initial: 'packing',
      states: { packing: { on: { Sent: 'sent' } }, sent: { type: 'final' } },
    },
  },
}

const again: EventFunnel = {
  id: 'again',
  steps: [{ event: 'Paid' }, { event: 'Viewed' }, { event: 'Added' }],
  within: '2d',
}

const cohorts: Cohort[] = [{ id: 'gone_cold', who: { journey: 'checkout', in: 'cold' } }]

export const DEFINITIONS = makeDefinitions({
  identity: { hashed: ['email'] },
  sessions: { splitOn: ['context.campaign'] },
  journeys: [checkout, order],
  funnels: [again],
  cohorts,
})

export const ERASED_USER = 'user_id:erased'

type Given = { [namespace: string]: string }

function event(id: string, time: string, name: string, identifiers: Given, more: object = {}) {
  const occurred_at = `2026-03-0${time}Z`
  return JSON.stringify({ event_id: id, name, occurred_at, identifiers, source: 'web', ...more })
}

const call = (messageId: string, time: string, members: object) =>
  JSON.stringify({ messageId, timestamp: `2026-03-0${time}Z`, ...members })

/** Ids with `/` and `%` are escaped in the ids of rows. */
const ADA = { anonymous_id: 'a/1' }
const BOB = { anonymous_id: 'b%1', user_id: 'bob' }
const paid = (value: number, of: string) => ({ properties: { value, order: of } })

/** Batches of the first half. */
export const FIRST = [
  [
    event('a1', '1T10:00:00', 'Viewed', ADA, { context: { campaign: 'spring' } }),
    event('a2', '1T10:05:00', 'Added', ADA),
    event('b1', '1T10:00:00', 'Viewed', BOB),
    event('b/2', '1T10:10:00', 'Added', { ...BOB, email: 'Bob@example.org' }),
    event('b3', '1T10:20:00', 'Removed', BOB),
    event('b4', '1T10:30:00', 'Added', BOB),
    event('x1', '1T10:00:00', 'Viewed', { user_id: 'erased', anonymous_id: 'x1' }),
    '{"event_id": "refused", "name": "Viewed"}',
  ],
  [
    event('a3', '1T10:20:00', 'Paid', { ...ADA, user_id: 'ada' }, paid(20, 'o-1')),
    event('a4', '1T12:00:00', 'Viewed', ADA),
    // Late, and names two people whom an alias has made one.
    event('b0', '1T09:50:00', 'Viewed', { user_id: 'robert', email: 'rob@example.org' }),
    event('b5', '1T11:00:00', 'Paid', { user_id: 'robert' }, paid(5, 'o-2')),
    call('s1', '1T11:30:00', {
      type: 'alias',
      previousId: 'robert',
      userId: 'bob',
      anonymousId: 'b%1',
    }),
    call('s2', '1T11:40:00', { type: 'alias', previousId: 'c-device', userId: 'carla' }),
    event('c1', '1T11:45:00', 'Added', { user_id: 'carla' }),
  ],
]
const FIRST_WATERMARK = '2026-03-02T11:00:00Z'

/** Batches of the second half. */
export const SECOND = [
  [
    event('a5', '2T11:10:00', 'Added', ADA),
    event('a6', '2T11:20:00', 'Sent', { user_id: 'ada' }, { properties: { order: 'o-1' } }),
    event('b6', '2T11:30:00', 'Added', { email: 'rob@example.org' }),
    event('b7', '2T11:40:00', 'Paid', BOB, paid(30, 'o-2')),
    // The device of an alias is a user after all.
    event('c2', '2T12:00:00', 'Viewed', { user_id: 'c-device' }),
    event('x2', '2T12:00:00', 'Viewed', { user_id: 'erased' }),
    ...(FIRST[1] as string[]),
    '{"event_id": "refused", "name": "Viewed"}',
  ],
  [
    event('b8', '1T10:25:00', 'Paid', BOB, paid(15, 'o-3')),
    event('a0', '1T09:00:00', 'Viewed', { anonymous_id: 'a/1' }),
    event('u1', '2T13:00:00', 'Seen', BOB, { unlink: ['user_id:robert', 'user_id:bob'] }),
    event('a7', '2T13:00:00', 'Refunded', { user_id: 'ada' }, { properties: { order: 'o-1' } }),
  ],
]
export const SECOND_WATERMARK = parseInstant('2026-03-04T00:00:00Z') as number

/** Repeated in the second half: events that have landed, and events of the erased person. */
export const REPEATED = (FIRST[1] as string[]).length
export const ERASED = 1

/** Makes the DuckDB file of the first half. */
export async function makeFirstHalf(path: string): Promise<void> {
  rmSync(path, { force: true })
  const warehouse = duckdbWarehouse(path)
  const harness = new Harness(DEFINITIONS, warehouse)
  for (const batch of FIRST) await harness.feed(batch)
  await harness.feed([], parseInstant(FIRST_WATERMARK))
  await runCohorts(warehouse, await warehouse.open(), cohorts)
  await forget({
    warehouse,
    definitions: DEFINITIONS,
    user: ERASED_USER,
    isKept: false,
    isPlan: false,
    at: 1_800_000_100_000_000,
    hashKey: 'test',
  })
  await warehouse.close()
}
