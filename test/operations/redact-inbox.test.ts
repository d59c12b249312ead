/**
 * Erasure in raw data: landed messages and dead letters lose exactly the lines that would be
 * dropped if they arrived again.
 */

import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { forget } from '../../pipeline/operations/forget.ts'
import { landedTable } from '../../pipeline/io/inbox-source.ts'
import { Harness } from '../support/dump.ts'

const AT = 1_900_000_000_000_000

const event = (id: string, identifiers: object, more: object = {}) =>
  JSON.stringify({ event_id: id, name: 'A', occurred_at: 1_772_359_200_000, identifiers, ...more })

const ADA = event('x1', { user_id: 'ada', email: 'ada@example.org' })
const ADAS_PHONE = event('x2', { anonymous_id: 'phone' })
const BOB = event('x3', { user_id: 'bob' })
const REFUSED = '{"event_id":"x4","identifiers":{"email":"ada@example.org"}}'
const LATER = event('x5', { anonymous_id: 'phone' })

test('landed messages lose the lines of the person and no other byte', async () => {
  const harness = new Harness(makeDefinitions({}))
  const { warehouse } = harness
  await harness.feed([ADA, event('x0', { user_id: 'ada', anonymous_id: 'phone' }), ADAS_PHONE, BOB])
  const texts: [id: string, data: string, attributes?: string][] = [
    ['alone', ADA],
    ['lines', `${ADA}\n${BOB}\n\n${LATER}\n${REFUSED}\n`],
    ['list', ` [ ${BOB},\n${ADA}, ${event('x6', { user_id: 'adam' })} ]`],
    ['packed', `${BOB}\n${ADA}`],
    ['over lines', JSON.stringify(JSON.parse(ADAS_PHONE), null, 2)],
    ['of others', `${BOB}\r\n\n${event('x7', { user_id: 'adam' })}`],
    ['named', BOB, '{"tenant":"t","sender":"ada"}'],
    ['no events', 'hello'],
  ]
  const messages = texts.map(([message_id, text, attributes = '{"tenant":"t"}']) => ({
    subscription_name: 's',
    message_id,
    publish_time: AT,
    data: message_id === 'packed' ? new Uint8Array(gzipSync(text)) : Buffer.from(text),
    attributes,
  }))
  await warehouse.append('landed_messages', landedTable(messages), AT)
  const { definitions } = harness
  const how = { at: AT, isKept: false, isPlan: false }
  const { counts } = await forget({ warehouse, definitions, user: 'ada', ...how })
  expect(counts).toMatchObject({ landed_messages: 6 })
  const rows = await warehouse.query('select message_id, data, attributes from landed_messages')
  const left = rows.map(({ message_id, data, attributes }) => {
    const bytes = data as Uint8Array
    const text = (message_id === 'packed' ? gunzipSync(bytes) : Buffer.from(bytes)).toString()
    return [message_id, { text, attributes }]
  })
  const tenant = '{"tenant":"t"}'
  expect(Object.fromEntries(left)).toEqual({
    lines: { text: `${BOB}\n`, attributes: tenant },
    list: { text: `${BOB}\n${event('x6', { user_id: 'adam' })}\n`, attributes: tenant },
    packed: { text: `${BOB}\n`, attributes: tenant },
    'of others': { text: texts[5]?.[1], attributes: tenant },
    named: { text: BOB, attributes: '{}' },
    'no events': { text: 'hello', attributes: tenant },
  })
})

test('an erasure finds redacted dead letters by their hashes', async () => {
  const identity = { hashed: ['email'] }
  const harness = new Harness(makeDefinitions({ identity }))
  const { warehouse, definitions } = harness
  const lines = [
    REFUSED,
    '{"event_id":"x8","identifiers":{"email":"ADA@example.org"},"quantity":7}',
    '{"event_id":"x9","identifiers":{"email":"adam@example.org"},"quantity":7}',
    '{"event_id":"x10","identifiers":{"user_id":7',
    event('x11', { user_id: '7', email: 'ada@example.org' }),
  ]
  await harness.feed(lines)
  const letters = async () => {
    const rows = await warehouse.query('select raw from dead_letters')
    return rows.map(({ raw }) => Buffer.from(raw as Uint8Array).toString())
  }
  expect(await letters()).toHaveLength(4)
  const options = { warehouse, definitions, at: AT, isKept: false, isPlan: false, hashKey: 'test' }
  await forget({ ...options, user: 'email:ada@example.org' })
  // A value in another letter case has another hash, and a masked line keeps no value.
  const kept = ['"x8"', '"x9"', '"user_id":*']
  expect(await letters()).toEqual(kept.map((part) => expect.stringContaining(part)))
  harness.restart()
  expect(await harness.feed(lines)).toMatchObject({ read: 5, landed: 0, erased: 2 })
  expect(await letters()).toHaveLength(3)
})
