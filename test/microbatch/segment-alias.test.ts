/**
 * Segment alias calls, in which `previousId` is a user id or a device. The tables are the same in
 * every order and batching of the calls, after a replay, and after an erasure.
 */

import { describe, expect, test } from 'vitest'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { forget } from '../../pipeline/operations/forget.ts'
import { dump, Harness } from '../support/dump.ts'

const call = (messageId: string, minute: number, members: object) =>
  JSON.stringify({
    type: 'track',
    messageId,
    event: 'Seen',
    timestamp: `2026-03-01T10:${String(minute).padStart(2, '0')}:00Z`,
    ...members,
  })

function orders<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, i) => orders(items.toSpliced(i, 1)).map((rest) => [item, ...rest]))
}

/** Returns the profiles by event, which must be equal in every order and batch size. */
async function profilesOf(calls: string[]): Promise<{ [eventId: string]: string }> {
  const results = new Set<string>()
  for (const order of orders(calls)) {
    for (const size of [1, 2, calls.length]) {
      const harness = new Harness(makeDefinitions({}))
      for (let from = 0; from < order.length; from += size) {
        await harness.feed(order.slice(from, from + size))
      }
      const rows = await harness.warehouse.query(
        'select event_id, profile_id from event_profiles order by 1',
      )
      results.add(
        JSON.stringify(Object.fromEntries(rows.map((row) => [row['event_id'], row['profile_id']]))),
      )
      await harness.warehouse.close()
    }
  }
  expect([...results]).toHaveLength(1)
  return JSON.parse([...results][0] as string)
}

describe('in every order of arrival', () => {
  test('links the device of previousId to the person', async () => {
    const profiles = await profilesOf([
      call('before', 0, { anonymousId: 'a-1' }),
      call('alias', 1, { type: 'alias', previousId: 'a-1', userId: 'u-1' }),
      call('after', 50, { userId: 'u-1', anonymousId: 'a-2' }),
    ])
    expect(profiles).toEqual({ before: 'user_id:u-1', alias: 'user_id:u-1', after: 'user_id:u-1' })
  })

  test('links the device that sent the call', async () => {
    const device = { anonymousId: 'a-1' }
    const profiles = await profilesOf([
      call('before', 0, device),
      call('alias', 1, { type: 'alias', previousId: 'a-1', userId: 'u-1', ...device }),
      call('after', 50, { userId: 'u-1' }),
    ])
    expect(profiles).toEqual({ before: 'user_id:u-1', alias: 'user_id:u-1', after: 'user_id:u-1' })
  })

  test('renames a user whom another call names', async () => {
    const profiles = await profilesOf([
      call('before', 0, { userId: 'old' }),
      call('alias', 1, { type: 'alias', previousId: 'old', userId: 'u-1', anonymousId: 'a-1' }),
      call('after', 50, { userId: 'u-1' }),
    ])
    expect(profiles).toEqual({ before: 'user_id:old', alias: 'user_id:old', after: 'user_id:old' })
  })

  test('renames along a chain of calls', async () => {
    const profiles = await profilesOf([
      call('first', 0, { type: 'alias', previousId: 'u-1', userId: 'u-2' }),
      call('second', 1, { type: 'alias', previousId: 'u-2', userId: 'u-3' }),
      call('late', 50, { userId: 'u-1' }),
    ])
    expect(profiles).toEqual({ first: 'user_id:u-1', second: 'user_id:u-1', late: 'user_id:u-1' })
  })
})

test('an erasure reverts an alias that counted only because of an erased event', async () => {
  const definitions = makeDefinitions({ identity: { exclusive: [] } })
  const alias = call('alias', 40, {
    type: 'alias',
    previousId: 'old',
    userId: 'u-1',
    anonymousId: 'a-1',
  })
  const harness = new Harness(definitions)
  await harness.feed([
    call('shared', 0, { userId: 'old', anonymousId: 'a-2' }),
    call('own', 1, { userId: 'erased', anonymousId: 'a-2' }),
    alias,
  ])
  const { warehouse } = harness
  const profiles = 'select profile_id from event_profiles order by event_id'
  expect(await warehouse.query(profiles)).toEqual([
    { profile_id: 'user_id:old' },
    { profile_id: 'user_id:erased' },
    { profile_id: 'user_id:erased' },
  ])
  const who = { user: 'user_id:erased', isKept: false, isPlan: false, at: 1_900_000_000_000_000 }
  await forget({ warehouse, definitions, ...who })
  const fresh = new Harness(definitions)
  await fresh.feed([alias])
  expect(await dump(warehouse)).toEqual(await dump(fresh.warehouse))
  expect(await warehouse.query(profiles)).toEqual([{ profile_id: 'user_id:u-1' }])
})
