/**
 * Hashed namespaces from input to disk: no file, table or output contains a plain value, on any path
 * of a line. A warehouse has one key.
 */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { contentAt, IDENTIFIERS, PROPERTIES } from '../../pipeline/decode/content-builder.ts'
import { textAt } from '../../pipeline/base/columns.ts'
import { ChunkDecoder, redactorOf } from '../../pipeline/decode/decode.ts'
import { fingerprintOf, hashOf, HASH_KEY_VARIABLE } from '../../pipeline/decode/hash-key.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { storageOf } from '../../pipeline/duckdb/stored-tables.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { landedTable } from '../../pipeline/io/inbox-source.ts'
import { Pipeline } from '../../pipeline/microbatch/pipeline.ts'
import { refeed } from '../../pipeline/operations/replay-dead-letters.ts'
import { plainValuesOnRecord } from '../../pipeline/query/plain-values-on-record.ts'
import { TABLES } from '../../pipeline/warehouse/tables.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { startCommands } from '../support/commands.ts'
import { Harness } from '../support/dump.ts'

const KEY = 'test'
const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
const command = startCommands({ env: { [HASH_KEY_VARIABLE]: KEY } })
afterAll(() => rmSync(dir, { recursive: true }))

const VALUES = ['ada+x@example.org', 'bob@example.org', 'user-4711', 'user-0815']
const FORMS = VALUES.flatMap((value) => [
  value,
  encodeURIComponent(value),
  encodeURIComponent(encodeURIComponent(value)),
  value.replaceAll('@', '\\u0040'),
  value.replaceAll('@', '%40'),
])
const [ADA = '', BOB = '', USER = '', OLD_USER = ''] = VALUES

const event = (id: string, more: object = {}) =>
  JSON.stringify({
    event_id: id,
    name: 'Seen',
    occurred_at: '2026-03-01T10:00:00Z',
    identifiers: { user_id: USER, email: ADA, anonymous_id: 'a1' },
    ...more,
  })
const call = (id: string, type: string, more: object) =>
  JSON.stringify({ messageId: id, type, timestamp: '2026-03-01T10:00:01Z', ...more })

/** Page with a URL that contains a value, encoded once and twice. */
const urlOf = (value: string) => {
  const encoded = encodeURIComponent(value)
  return `https://example.org/?e=${encoded}&f=${encodeURIComponent(encoded)}`
}
const url = urlOf(ADA)
const LINES = [
  event('e1', { properties: { url, json: JSON.stringify({ email: ADA }), [ADA]: [ADA] } }),
  event('e1', { properties: { other: ADA } }),
  event('e2', { alias: [`user_id:${OLD_USER}`, `user_id:${USER}`] }),
  event('e3', { unlink: [`user_id:${USER}`, `email:${ADA}`], context: { email: BOB } }),
  event(`e4 ${ADA}`, { source: ADA }).replaceAll('@', '\\u0040'),
  event('e5', { name: undefined, properties: { url } }),
  event('e6', { ordinal: ADA }),
  event('e7').slice(0, -2),
  `e8,Seen,${ADA},'${BOB}',${USER}`,
  call('m1', 'identify', { userId: USER, traits: { email: BOB, bio: urlOf(BOB), to: BOB } }),
  call('m2', 'alias', { userId: USER, previousId: OLD_USER }),
  call('m3', 'track', {
    event: 'Seen',
    userId: USER,
    context: { traits: { email: BOB }, url: urlOf(BOB) },
  }),
  call('m4', 'unheard', { userId: USER, traits: { email: BOB } }),
]

/** Returns all rows of all tables as text. */
async function rowsOf(warehouse: Warehouse): Promise<string> {
  const names = [...Object.keys(TABLES), 'dead_letters', 'landed_messages', 'releases']
  const tables = await Promise.all(
    [...new Set(names)].map((name) => warehouse.query(`select * from ${name}`).catch(() => [])),
  )
  return tables
    .flat()
    .flatMap((row) => Object.values(row))
    .map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString() : String(value)))
    .join('\n')
}

function expectNoForm(text: string): void {
  const lower = text.toLowerCase()
  for (const form of FORMS) expect(lower).not.toContain(form.toLowerCase())
}

/** Returns the bytes of all files in a folder and its subfolders. */
function filesIn(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  return files
    .filter((file) => file.isFile())
    .map((file) => readFileSync(join(file.parentPath, file.name)).toString('latin1'))
    .join('\n')
}

test('commands write and print no plain value', async () => {
  const definitions = join(dir, 'definitions')
  mkdirSync(definitions)
  writeFileSync(
    join(definitions, 'identity.ts'),
    "export default { hashed: ['user_id', 'email'] }\n",
  )
  const out = join(dir, 'out')
  mkdirSync(out)
  const warehouse = `duckdb:${join(out, 'hashed.duckdb')}`
  const at = ['--warehouse', warehouse]
  const ran = [
    await command('start', [...at, '--definitions', definitions, '-'], LINES.join('\n')),
    await command('dead-letters', ['list', ...at]),
    await command('dead-letters', ['list', ...at, '--json']),
    await command('dead-letters', ['refeed', ...at, '--definitions', definitions]),
    await command('export', [...at, '--table', 'events', '--out', join(out, 'events.ndjson')]),
    await command('status', at),
    await command('verify', at),
  ]
  expect(ran.map(({ status, stderr }) => [status, stderr])).toEqual(ran.map(() => [0, '']))
  expect(ran[0]?.stdout).toContain('refused')
  expectNoForm(ran.map(({ stdout }) => stdout).join('\n'))
  expectNoForm(filesIn(out))
  const opened = duckdbWarehouse(join(out, 'hashed.duckdb'))
  await opened.open()
  const rows = await rowsOf(opened)
  await opened.close()
  expectNoForm(rows)
  for (const value of VALUES) expect(rows).toContain(hashOf(KEY, value))
})

test('a dead letter that is fed again after a fix lands like the plain line', async () => {
  const identity = { hashed: ['user_id', 'email'] }
  const harness = new Harness(makeDefinitions({ identity }))
  const { warehouse } = harness
  const pipeline = await harness.pipeline()
  const options = { identity: pipeline.definitions.identity, operandPaths: [], format: undefined }
  const strict = { events: {}, unknown: 'refuse' as const }
  const refusing = new ChunkDecoder({ ...options, events: strict, hashKey: KEY })
  const fixed = new ChunkDecoder({ ...options, events: { events: {} }, hashKey: KEY })
  const line = event('e1', { properties: { url } })
  const receivedAt = 1_800_000_000_000_000
  const batch = refusing.decode(Buffer.from(line), receivedAt)
  await pipeline.advance(batch, { origin: 'test', receivedAt })
  expectNoForm(await rowsOf(warehouse))
  const decode = async (chunk: Uint8Array, at: number) => fixed.decode(chunk, at)
  expect(await refeed(warehouse, pipeline, decode)).toMatchObject({ fed: 1, landed: 1 })
  const plain = fixed.decode(Buffer.from(line), receivedAt)
  const [landed] = await warehouse.query('select identifiers, properties from events')
  expect(landed?.['identifiers']).toBe(textAt(plain.content, contentAt(0, IDENTIFIERS)))
  expect(landed?.['properties']).toBe(textAt(plain.content, contentAt(0, PROPERTIES)))
  // The source sends the plain line again; it is a duplicate.
  expect(await harness.feed([line])).toMatchObject({ landed: 0, duplicates: 1 })
})

test('a message, packed or not, is redacted before it lands, and gives the rows of the plain one', async () => {
  const { identity } = makeDefinitions({ identity: { hashed: ['user_id', 'email'] } })
  const redactor = redactorOf(identity, KEY)
  const attributes = JSON.stringify({ email: ADA, tenant: 't' })
  const texts = [
    LINES.join('\n'),
    `[${LINES[0]},\n${LINES[2]}]`,
    JSON.stringify(JSON.parse(LINES[0] as string), null, 2),
  ]
  const messages = texts.flatMap((text, n) =>
    [Buffer.from(text), gzipSync(text), gzipSync(text).fill(9, 12, 20)].map((data, m) => ({
      subscription_name: 's',
      message_id: `${n}-${m}`,
      publish_time: 1_800_000_000_000_000,
      data: new Uint8Array(data),
      attributes,
    })),
  )
  const landed = messages.map((message) => redactor?.landing(message) ?? message)
  const { warehouse } = new Harness(makeDefinitions({ identity }))
  await warehouse.open()
  await warehouse.append('landed_messages', landedTable(landed), 1_800_000_000_000_000)
  expectNoForm(await rowsOf(warehouse))
  const decoder = new ChunkDecoder({
    identity,
    operandPaths: [],
    format: undefined,
    events: { events: {} },
    hashKey: KEY,
  })
  messages.forEach((message, n) => {
    const [plain, redacted] = [message, landed[n] ?? message].map(({ data }) =>
      decoder.decodeMessages(data, {
        ends: Int32Array.of(data.length),
        publishedAt: Float64Array.of(1_800_000_000_000_000),
      }),
    )
    expect(redacted?.fingerprint).toEqual(plain?.fingerprint)
    expect(redacted?.refusals.map(({ reason }) => reason)).toEqual(
      plain?.refusals.map(({ reason }) => reason),
    )
  })
})

test('a warehouse keeps the fingerprint of its first key and refuses another', async () => {
  const definitions = makeDefinitions({ identity: { hashed: ['email'] } })
  const harness = new Harness(definitions)
  const { warehouse } = harness
  const fingerprints = () => warehouse.query("select hash from releases where kind = 'hash_key'")
  // A warehouse of a version without fingerprints.
  const earlier = await Pipeline.open(warehouse, definitions)
  const decoder = new ChunkDecoder({
    identity: definitions.identity,
    operandPaths: [],
    format: undefined,
    events: { events: {} },
    hashKey: KEY,
  })
  const at = 1_790_000_000_000_000
  await earlier.advance(decoder.decode(Buffer.from(event('e1')), at), {
    origin: 'test',
    receivedAt: at,
  })
  expect(await fingerprints()).toEqual([])
  await harness.feed([event('e2')])
  await harness.feed([event('e3')])
  harness.restart()
  await harness.feed([event('e4')])
  expect(await fingerprints()).toEqual([{ hash: fingerprintOf(KEY) }])
  const refused = Pipeline.open(warehouse, definitions, { hashKey: 'another' })
  await expect(refused).rejects.toThrow(
    /^DESIRE_PATH_HASH_KEY is not the key of .*NEW_KEY npm start/,
  )
  await expect(refused).rejects.not.toThrow('another')
})

test('plain values of an earlier version are counted by table', async () => {
  const definitions = makeDefinitions({ identity: { hashed: ['email'] } })
  const { identity } = definitions
  const harness = new Harness(definitions)
  const { warehouse } = harness
  await harness.feed(LINES)
  expect(await plainValuesOnRecord(warehouse, identity)).toEqual({
    events: 0,
    dead_letters: 0,
    landed_messages: 0,
  })
  // As in earlier versions, only identifiers are hashed.
  const plain = new ChunkDecoder({
    identity: { ...identity, hashed: [] },
    operandPaths: [],
    format: undefined,
    events: { events: {} },
    hashKey: undefined,
  })
  const lines = [
    event('p1', { identifiers: { email: hashOf(KEY, ADA) }, properties: { email: ADA } }),
    event('p2', { identifiers: { email: hashOf(KEY, ADA) } }),
    event('p3', { name: '', properties: { email: ADA } }),
    `{"email": "${ADA}`,
  ]
  const at = 1_900_000_000_000_000
  const pipeline = await harness.pipeline()
  const batch = plain.decode(Buffer.from(lines.join('\n')), at)
  await pipeline.advance(batch, { origin: 'test', receivedAt: at })
  const message = { subscription_name: 's', message_id: '1', publish_time: at, attributes: '{}' }
  const data = new Uint8Array(gzipSync(event('p4')))
  await warehouse.append('landed_messages', landedTable([{ ...message, data }]), at)
  expect(await plainValuesOnRecord(warehouse, identity)).toEqual({
    events: 1,
    dead_letters: 2,
    landed_messages: 1,
  })
})

test('verify names the tables with plain values and exits with 1', async () => {
  const path = join(dir, 'earlier.duckdb')
  const warehouse = `duckdb:${path}`
  const definitions = join(dir, 'earlier')
  mkdirSync(definitions)
  writeFileSync(join(definitions, 'identity.ts'), "export default { hashed: ['email'] }\n")
  await command('start', ['--warehouse', warehouse, '--definitions', definitions, '-'], event('e1'))
  expect(await command('verify', ['--warehouse', warehouse])).toMatchObject({ status: 0 })
  const earlier = duckdbWarehouse(path)
  await earlier.open()
  await earlier.query(`update ${storageOf('events')} set properties = '{"email":"${ADA}"}'`)
  await earlier.close()
  const { status, stdout, stderr } = await command('verify', ['--warehouse', warehouse])
  expect(stderr).toContain('has plain values of hashed namespaces (email) in events (rows: 1)')
  expect(status).toBe(1)
  expect(stdout).not.toContain('differs')
  expectNoForm(stdout + stderr)
})
