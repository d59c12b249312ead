/** The inbox as a source: what a chunk has, when the next one is read, and how it ends. */

import { afterEach, beforeEach, expect, test } from 'vitest'
import { landedSource, landedTable, messageOfBody } from '../../pipeline/io/inbox-source.ts'
import type { Chunk } from '../../pipeline/io/source.ts'
import type { LandedMessage, Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { emptyWarehouse } from '../support/reused-warehouse.ts'

let warehouse: Warehouse
beforeEach(async () => {
  warehouse = emptyWarehouse()
  await warehouse.open()
})
afterEach(() => warehouse.close())

const encoded = (text: string) => Buffer.from(text).toString('base64')
const body = (message: object, more: object = {}) => ({ message, subscription: 's', ...more })

async function land(...ids: string[]): Promise<void> {
  const messages = ids.map(
    (id) =>
      messageOfBody(body({ messageId: id, data: encoded(`line ${id}`) }), 7_000) as LandedMessage,
  )
  await warehouse.append('landed_messages', landedTable(messages), 1)
}

const chunksOf = (signal = new AbortController().signal) =>
  landedSource(warehouse, signal)[Symbol.asyncIterator]()
const textOf = ({ bytes }: Chunk) => Buffer.from(bytes).toString()

test('gives the messages on record with what the batch must apply', async () => {
  await land('a', 'b')
  const { done, value } = await chunksOf().next()
  const chunk = value as Chunk
  expect(done).toBe(false)
  expect(textOf(chunk)).toContain('line a')
  expect(textOf(chunk)).toContain('line b')
  expect(chunk.applying?.map(({ message_id }) => message_id).toSorted()).toEqual(['a', 'b'])
  expect(chunk).toMatchObject({ origin: 'landed messages', progress: { done: 2, total: null } })
  expect([...(chunk.messages?.publishedAt ?? [])]).toEqual([7_000, 7_000])
})

test('ends without messages, when it is aborted, and when its reader stops', async () => {
  expect(await chunksOf().next()).toEqual({ done: true, value: undefined })
  await land('a')
  const stopped = new AbortController()
  stopped.abort()
  expect(await chunksOf(stopped.signal).next()).toEqual({ done: true, value: undefined })
  const chunks = chunksOf()
  await chunks.next()
  const next = chunks.next()
  expect(await chunks.return?.()).toEqual({ done: true, value: undefined })
  expect(await next).toEqual({ done: true, value: undefined })
})

test('reads the next chunk after the previous one is acknowledged, not before', async () => {
  await land('a')
  const chunks = chunksOf()
  const first = (await chunks.next()).value as Chunk
  let hasRead = false
  const second = chunks.next().then(({ value }) => {
    hasRead = true
    return value as Chunk
  })
  await warehouse.query('select 1')
  expect(hasRead).toBe(false)
  await first.acknowledge()
  // Nothing has applied the message, so it is there again.
  expect(textOf(await second)).toBe(textOf(first))
  expect((await second).progress).toEqual({ done: 2, total: null })
})

test('reads a message from the body of a request', () => {
  const message = { messageId: 'm', data: encoded('x'), publishTime: '2026-03-01T10:00:00Z' }
  const read = {
    subscription_name: 's',
    message_id: 'm',
    publish_time: 1_772_359_200_000_000,
    data: new Uint8Array(Buffer.from('x')),
    attributes: '{}',
  }
  expect(messageOfBody(body(message), 0)).toEqual(read)
  const { messageId: message_id, publishTime: publish_time, data } = message
  expect(messageOfBody(body({ message_id, publish_time, data }), 0)).toEqual(read)
  expect(messageOfBody({ message: { ...message, attributes: { a: 'b' } } }, 0)).toEqual({
    ...read,
    subscription_name: '',
    attributes: '{"a":"b"}',
  })
  expect(messageOfBody(body({ messageId: 'm' }), 1_234_567)).toMatchObject({
    publish_time: 1_234_000,
    data: new Uint8Array(),
  })
})

test.each([
  null,
  {},
  { message: null },
  { message: 'm' },
  { message: {} },
  { message: { messageId: '' } },
  { message: { messageId: 7 } },
])('reads no message from %j', (request) => expect(messageOfBody(request, 0)).toBeNull())
