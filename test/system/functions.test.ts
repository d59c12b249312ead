/** Deployed functions, served by Functions Framework, with the payloads of the services. */

import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { getTestServer } from '@google-cloud/functions-framework/testing'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { closeInstance } from '../../pipeline/functions.ts'
import type { Row } from '../../pipeline/warehouse/warehouse.ts'
import { Shop } from '../../scripts/sample/shop.ts'
import { dump } from '../support/dump.ts'
import { emptyFile } from '../support/empty-file.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
const servers = new Map<string, Server>()
let files = 0
let database = ''

beforeEach(async () => {
  await closeInstance()
  database = emptyFile(join(dir, `${(files += 1)}.duckdb`))
  process.env['DESIRE_PATH_WAREHOUSE'] = `duckdb:${database}`
})
afterAll(async () => {
  await closeInstance()
  for (const server of servers.values()) server.close()
  rmSync(dir, { recursive: true })
})

async function urlOf(target: string, path = '/'): Promise<string> {
  let server = servers.get(target)
  if (server === undefined) {
    server = getTestServer(target).listen(0, '127.0.0.1')
    await once(server, 'listening')
    servers.set(target, server)
  }
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
}

const JSON_HEADERS = { 'content-type': 'application/json' }
const EVENT_HEADERS = {
  ...JSON_HEADERS,
  'ce-id': '1',
  'ce-source': '//pubsub.googleapis.com/projects/shop/topics/events',
  'ce-specversion': '1.0',
  'ce-type': 'google.cloud.pubsub.topic.v1.messagePublished',
  'ce-time': '2026-03-02T10:00:00.000Z',
}
const SUBSCRIPTION = 'projects/shop/subscriptions/events'

type Message = { messageId: string; data?: string; attributes?: { [name: string]: string } }

/** Sends a message like Eventarc, as a CloudEvent in binary mode. */
async function viaEventarc(message: Message): Promise<number> {
  const sent = { publishTime: '2026-03-02T10:00:00.123Z', ...message }
  const body = JSON.stringify({ message: sent, subscription: SUBSCRIPTION })
  const url = await urlOf('ingest')
  return (await fetch(url, { method: 'POST', headers: EVENT_HEADERS, body })).status
}

/** Sends a message like a push subscription. */
async function viaPush(message: Message): Promise<number> {
  const publishTime = '2026-03-02T10:00:00.123Z'
  const twice = { message_id: message.messageId, publish_time: publishTime }
  const sent = { attributes: {}, publishTime, ...twice, ...message }
  const body = JSON.stringify({ message: sent, subscription: SUBSCRIPTION })
  const url = await urlOf('ingest', '/projects/shop/topics/events')
  return (await fetch(url, { method: 'POST', headers: JSON_HEADERS, body })).status
}

async function advance(): Promise<{ status: number; report: Row }> {
  const response = await fetch(await urlOf('advance'), { method: 'POST' })
  return { status: response.status, report: (await response.json()) as Row }
}

/** Returns the stored rows, once the functions have released the file. */
async function ask(sql: string): Promise<Row[]> {
  await closeInstance()
  const warehouse = duckdbWarehouse(database)
  await warehouse.open()
  const rows = await warehouse.query(sql)
  await warehouse.close()
  return rows
}

const base64 = (data: string | Buffer) => Buffer.from(data).toString('base64')
const event = (id: string) =>
  JSON.stringify({
    event_id: id,
    name: 'Product Added',
    occurred_at: '2026-03-02T10:00:00Z',
    identifiers: { user_id: 'u1' },
  })

test('a message of either kind has landed when the response arrives', async () => {
  const [plain, packed] = [base64(event('e1')), base64(gzipSync(event('e2')))]
  expect(await viaEventarc({ messageId: '1', data: plain, attributes: { a: 'b' } })).toBe(204)
  expect(await viaPush({ messageId: '2', data: packed })).toBe(204)
  expect(await viaPush({ messageId: '3', attributes: { only: 'attributes' } })).toBe(204)
  const rows = await ask(
    `select message_id, subscription_name, attributes, octet_length(data) as bytes, publish_time
     from landed_messages order by message_id`,
  )
  expect(rows.map(({ message_id, attributes }) => [message_id, attributes])).toEqual([
    ['1', '{"a":"b"}'],
    ['2', '{}'],
    ['3', '{"only":"attributes"}'],
  ])
  expect(rows[0]).toMatchObject({
    subscription_name: SUBSCRIPTION,
    bytes: event('e1').length,
    publish_time: 1_772_445_600_123_000,
  })
  expect(rows[2]?.['bytes']).toBe(0)
})

test.each([
  ['ingest', 'GET', undefined, 405, 'ingest takes POST requests, not GET'],
  ['advance', 'GET', undefined, 405, 'advance takes POST requests, not GET'],
  ['advance-event', 'DELETE', undefined, 405, 'advance-event takes POST requests, not DELETE'],
  ['ingest', 'POST', undefined, 400, 'the request body is not a Pub/Sub message with an id'],
  ['ingest', 'POST', '[]', 400, 'the request body is not a Pub/Sub message with an id'],
  [
    'ingest',
    'POST',
    '{"hello":"world"}',
    400,
    'the request body is not a Pub/Sub message with an id',
  ],
  ['advance-event', 'POST', undefined, 400, 'neither a CloudEvent nor a Pub/Sub message'],
])('%s responds to %s with body %s by %i and one JSON line', async (...request) => {
  const [target, method, body, status, error] = request
  const response = await fetch(await urlOf(target), {
    method,
    ...(body === undefined ? {} : { headers: JSON_HEADERS, body }),
  })
  const text = await response.text()
  expect(response.status).toBe(status)
  expect(text).not.toContain('\n')
  expect((JSON.parse(text) as { error: string }).error).toContain(error)
})

test('ingest lands a CloudEvent in structured mode', async () => {
  const data = { message: { messageId: '1', data: base64(event('e1')) } }
  const response = await fetch(await urlOf('ingest'), {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify({ id: '1', source: 's', specversion: '1.0', type: 't', data }),
  })
  expect(response.status).toBe(204)
  expect(await ask('select message_id from landed_messages')).toEqual([{ message_id: '1' }])
})

test('landed messages are processed once, and a tick without messages commits nothing', async () => {
  const list = base64(`[${event('e1')},${event('e2')}]`)
  await viaEventarc({ messageId: '1', data: list })
  await viaEventarc({ messageId: '1', data: list })
  await viaEventarc({ messageId: '2', data: base64('broken') })
  await viaEventarc({ messageId: '3' })
  const counts = { batches: 1, read: 6, landed: 2, duplicates: 2, refused: 2 }
  expect(await advance()).toEqual({ status: 200, report: counts })
  const nothing = { batches: 0, read: 0, landed: 0, duplicates: 0, refused: 0 }
  expect((await advance()).report).toEqual(nothing)
  await viaEventarc({ messageId: '1', data: list })
  await closeInstance()
  expect((await advance()).report).toEqual(nothing)
  await viaPush({ messageId: '4', data: list })
  expect((await advance()).report).toMatchObject({ batches: 1, landed: 0, duplicates: 2 })
  expect(await ask('select count(*) as batches from batches')).toEqual([{ batches: 2 }])
  const letters = await ask('select reason, raw from dead_letters order by reason')
  expect(letters.map(({ reason }) => reason)).toEqual(['invalid_json', 'missing_field'])
})

test('a CloudEvent ping processes landed messages', async () => {
  await viaEventarc({ messageId: '1', data: base64(event('e1')) })
  const url = await urlOf('advance-event')
  const ping = { method: 'POST', headers: EVENT_HEADERS, body: '{"message":{"messageId":"9"}}' }
  const answers = await Promise.all([fetch(url, ping), fetch(url, ping)])
  expect(answers.map(({ status }) => status)).toEqual([204, 204])
  expect(await ask('select event_id from events')).toEqual([{ event_id: 'e1' }])
})

test('concurrent messages share writes, and give the same tables', async () => {
  const lines = [...new Shop(8).lines(900)]
  const answers = await Promise.all(
    lines.map((line, i) => viaEventarc({ messageId: `${i}`, data: base64(line) })),
  )
  expect(new Set(answers)).toEqual(new Set([204]))
  expect((await advance()).status).toBe(200)
  const [landing] = await ask(
    'select count(*) as n, count(distinct recorded_at) as writes from landed_messages',
  )
  expect(landing?.['n']).toBe(lines.length)
  expect(landing?.['writes']).toBeLessThan(lines.length / 5)
  const applied = duckdbWarehouse(database)
  await applied.open()
  const expected = await tablesOfOneMessage(lines)
  expect(await dump(applied)).toEqual(expected)
  await applied.close()
})

async function tablesOfOneMessage(lines: string[]) {
  await closeInstance()
  database = emptyFile(join(dir, `${(files += 1)}.duckdb`))
  process.env['DESIRE_PATH_WAREHOUSE'] = `duckdb:${database}`
  await viaEventarc({ messageId: 'all', data: base64(lines.join('\n')) })
  await advance()
  await closeInstance()
  const warehouse = duckdbWarehouse(database)
  await warehouse.open()
  const tables = await dump(warehouse)
  await warehouse.close()
  return tables
}
