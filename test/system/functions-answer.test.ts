/**
 * Durability of the functions: a copy of the files at the moment of the response, as after a power
 * loss, contains what was acknowledged.
 */

import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getTestServer } from '@google-cloud/functions-framework/testing'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { hashOf, HASH_KEY_VARIABLE } from '../../pipeline/decode/hash-key.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { closeInstance } from '../../pipeline/functions.ts'
import type { Row } from '../../pipeline/warehouse/warehouse.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
const database = join(dir, 'functions.duckdb')
const servers: Server[] = []
let copies = 0

beforeAll(() => {
  process.env['DESIRE_PATH_WAREHOUSE'] = `duckdb:${database}`
})
afterAll(async () => {
  await closeInstance()
  for (const server of servers) server.close()
  rmSync(dir, { recursive: true })
})

async function serve(target: string): Promise<string> {
  const server = getTestServer(target).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

async function post(url: string, body: object): Promise<number> {
  const headers = {
    'content-type': 'application/json',
    'ce-id': '1',
    'ce-source': '//pubsub.googleapis.com/projects/shop/topics/events',
    'ce-specversion': '1.0',
    'ce-type': 'google.cloud.pubsub.topic.v1.messagePublished',
  }
  return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).status
}

/** Copies the files synchronously. */
async function readCopy(sql: string): Promise<Row[]> {
  const path = join(dir, `copy-${(copies += 1)}.duckdb`)
  for (const end of ['', '.wal']) {
    if (existsSync(database + end)) copyFileSync(database + end, path + end)
  }
  const warehouse = duckdbWarehouse(path)
  await warehouse.open()
  const rows = await warehouse.query(sql)
  await warehouse.close()
  return rows
}

const pushed = (id: string, user = 'u1') => {
  const event = {
    event_id: id,
    name: 'Go',
    occurred_at: '2026-03-02T10:00:00Z',
    identifiers: { user_id: user },
  }
  const data = Buffer.from(JSON.stringify(event)).toString('base64')
  return { message: { messageId: id, data }, subscription: 'projects/shop/subscriptions/events' }
}

test('a function responds only after its data is in the files', async () => {
  const ingest = await serve('ingest')
  const found: Row[] = []
  for (const id of ['m1', 'm2', 'm3']) {
    expect(await post(ingest, pushed(id))).toBe(204)
    found.push(...(await readCopy('select count(*) as landed from landed_messages')))
  }
  expect(found).toEqual([{ landed: 1 }, { landed: 2 }, { landed: 3 }])

  const applied = 'select (select count(*) from events) as events, count(*) as batches from batches'
  expect(await post(await serve('advance'), {})).toBe(200)
  expect(await readCopy(applied)).toEqual([{ events: 3, batches: 1 }])
  await post(ingest, pushed('m4'))
  expect(await post(await serve('advance-event'), pushed('ping'))).toBe(204)
  expect(await readCopy(applied)).toEqual([{ events: 4, batches: 2 }])
})

test('ingest redacts plain values of hashed namespaces before it stores a message', async () => {
  await closeInstance()
  const definitions = join(dir, 'hashed')
  mkdirSync(definitions)
  writeFileSync(join(definitions, 'identity.ts'), "export default { hashed: ['user_id'] }\n")
  const path = join(dir, 'hashed.duckdb')
  const settings = {
    DESIRE_PATH_WAREHOUSE: `duckdb:${path}`,
    DESIRE_PATH_DEFINITIONS: definitions,
    [HASH_KEY_VARIABLE]: 'test',
  }
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value)
  expect(await post(await serve('ingest'), pushed('h1', 'user-4711'))).toBe(204)
  await closeInstance()
  vi.unstubAllEnvs()
  expect(readFileSync(path).includes('user-4711')).toBe(false)
  expect(readFileSync(path).includes(hashOf('test', 'user-4711'))).toBe(true)
})
