/** Sessions, rule by rule: what starts one and what does not. */

import { expect, test } from 'vitest'
import { check, tell } from '../support/histories/history.ts'

test('a session starts after more than 30 minutes without events, not after exactly 30', () =>
  check(`
    at        anonymous_id  event  ->  session  because
    10:00     a1            Seen       e1       first
    10:30     a1            Seen       e1       -
    11:00:01  a1            Seen       e3       gap
    11:10     a2            Seen       e4       first
  `))

test('another person of an exclusive namespace starts a session, an absent one does not', () =>
  check(`
    at     anonymous_id  user_id  email  ->  session  because
    10:00  a1            -        -          e1       first
    10:01  a1            u1       -          e1       -
    10:02  a1            -        x@y        e1       -
    10:03  a1            u2       -          e4       person
    10:04  a1            -        z@y        e4       -
    10:05  a1            u1       -          e6       person
  `))

test('ignored values do not identify a person', () =>
  check(`
    at     anonymous_id  user_id    ->  session  profile
    10:00  a1            u1             e1       user_id:u1
    10:01  a1            NULL           e1       user_id:u1
    10:02  a1            00-00          e1       user_id:u1
    10:03  a1            Undefined      e1       user_id:u1
    10:04  a2            guest          e5       anonymous_id:a2
  `))

test('a changed listed property starts a session, an absent one does not', () =>
  check(
    `
    at     anonymous_id  context                          ->  session  because
    10:00  a1            -                                    e1       first
    10:01  a1            {"campaign":{"source":"mail"}}       e1       -
    10:02  a1            -                                    e1       -
    10:03  a1            {"campaign":{"source":null}}         e1       -
    10:04  a1            {"campaign":{"source":"ad"}}         e5       split
  `,
    { sessions: { splitOn: ['context.campaign.source'] } },
  ))

test('starts a session when the source or the name of the event changes', async () => {
  const table = `
    at     anonymous_id  source  event  ->  session  because
    10:00  a1            web     Seen       e1       first
    10:01  a1            ios     Seen       e2       split
    10:02  a1            ios     Read       e3       split
    10:03  a1            ios     Read       e3       -
  `
  await check(table, { sessions: { splitOn: ['source', 'name'] } })
})

test('a session ends before it exceeds the maximum duration', () =>
  check(
    `
    at        anonymous_id  ->  session  because
    10:00     a1                e1       first
    10:20     a1                e1       -
    10:40     a1                e1       -
    10:40:01  a1                e4       max_duration
  `,
    { sessions: { maxDuration: '40m' } },
  ))

test('events of one instant are ordered by ordinal, then by id', () =>
  check(`
    at     anonymous_id  ordinal  user_id  ->  session
    10:00  a1            2        u2           e1
    10:00  a1            1        u1           e2
    10:00  a1            1        u1           e2
  `))

test('a late event joins two sessions', () =>
  check(`
    at     anonymous_id  ->  session
    10:00  a1                e1
    10:50  a1                e1
    10:25  a1                e1
  `))

test('without a device, the stream is the first person identifier', () =>
  check(`
    at     user_id  email  anonymous_id  device_id  ->  session
    10:00  u1       x@y    -             -              e1
    10:01  u1       -      -             -              e1
    10:02  -        x@y    -             -              e3
    10:03  u1       -      -             d1             e4
    10:04  u1       -      a1            d1             e5
  `))

test('a session that continues in later batches has all of its events', async () => {
  const { warehouse } = await tell(`
    at     anonymous_id  event
    10:00  a1            Seen
    10:10  a1            Read
    10:20  a1            Left
    11:00  a1            Seen
  `)
  const sessions = await warehouse.query(
    'select session_id, event_count, last_event from sessions order by session_id',
  )
  expect(sessions.map((row) => Object.values(row))).toEqual([
    ['e1', 3, 'Left'],
    ['e4', 1, 'Seen'],
  ])
  await warehouse.close()
})
