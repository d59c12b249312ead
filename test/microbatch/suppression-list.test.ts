/** Suppression list: which events and refused lines of erased persons are recognized. */

import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { ChunkDecoder } from '../../pipeline/decode/decode.ts'
import { hashOf } from '../../pipeline/decode/hash-key.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { storageOf } from '../../pipeline/duckdb/stored-tables.ts'
import { ErasedPersons, type ErasedHashes } from '../../pipeline/microbatch/suppression-list.ts'
import { NO_HEAD } from '../../pipeline/warehouse/head.ts'
import { emptyWarehouse } from '../support/reused-warehouse.ts'

const KEY = 'test'
const MAIL = 'Ada.Lovelace@example.org'

const identityOf = (hashed: string[] = []) => makeDefinitions({ identity: { hashed } }).identity

/** Returns a list without persons, as of a warehouse without batches. */
const emptyList = (hashed: string[] = [], key: string | undefined = undefined) =>
  ErasedPersons.load(emptyWarehouse(), NO_HEAD, identityOf(hashed), key)

async function listOf(names: string[], events: string[] = []): Promise<ErasedPersons> {
  const list = await emptyList()
  list.add(names, events)
  return list
}

/** Returns a list as it is loaded from certificates. */
async function loaded(certificates: ErasedHashes[], hashed: string[] = [], key?: string) {
  const warehouse = emptyWarehouse()
  const head = await warehouse.open()
  for (const { salt, identifiers, values, events } of certificates) {
    const texts = [JSON.stringify([...identifiers, ...values]), JSON.stringify(events)]
    await warehouse.query(
      `insert into ${storageOf('erasures')} (kind, salt, identifier_hashes, event_hashes) ` +
        "values ('erased', ?, ?, ?)",
      [salt, ...texts],
    )
  }
  const list = await ErasedPersons.load(warehouse, { ...head, batch: 1 }, identityOf(hashed), key)
  await warehouse.close()
  return list
}

const isIn = (list: ErasedPersons, text: string) => list.isIn(new TextEncoder().encode(text))

const event = (id: string, user: string, more: object = {}) =>
  JSON.stringify({
    event_id: id,
    name: 'A',
    occurred_at: 1_700_000_000_000,
    identifiers: { user_id: user },
    ...more,
  })

function rowsOf(list: ErasedPersons, lines: string[]): number[] | null {
  const parts = { operandPaths: [], format: undefined, events: { events: {} } }
  const decoder = new ChunkDecoder({ ...parts, identity: identityOf(), hashKey: undefined })
  const bytes = new TextEncoder().encode(lines.join('\n'))
  const rows = list.rowsOf(decoder.decode(bytes, 1_800_000_000_000_000))
  return rows === null ? null : [...rows]
}

test('recognizes nothing before the first erasure', async () => {
  const list = await emptyList()
  expect(rowsOf(list, [event('e1', 'ada')])).toBeNull()
  expect(isIn(list, '"user_id":"ada"')).toBe(false)
})

test('adds salted hashes in order, once per value, under one salt', async () => {
  const list = await emptyList()
  const added = list.add(['user_id:ada', `email:${MAIL}`, 'anonymous_id:ada'], ['e2', 'e1'])
  const hash = (text: string) => createHmac('sha256', added.salt).update(text).digest('hex')
  expect(added.salt).toMatch(/^[0-9a-f]{64}$/)
  const names = ['user_id:ada', `email:${MAIL}`, 'anonymous_id:ada']
  expect(added.identifiers).toEqual(names.map(hash).sort())
  expect(added.events).toEqual(['e1', 'e2'].map(hash).sort())
  const values = added.values.map((text) => text.split(':'))
  expect(values.map(([length]) => Number(length)).sort((a, b) => a - b)).toEqual([2, 2, 3, 24])
  expect(values.map(([, , hashed]) => hashed).sort()).toEqual(
    ['ada', MAIL.toLowerCase(), 'e1', 'e2'].map((value) => hash(`value ${value}`)).sort(),
  )
  expect(added.values).toEqual(added.values.toSorted())
  expect(list.add(['user_id:bob'], []).salt).toBe(added.salt)
  expect((await emptyList()).add(['user_id:bob'], []).salt).not.toBe(added.salt)
})

test('recognizes events by identifier, correction and id', async () => {
  const list = await listOf(['user_id:ada', 'email:ada'], ['e7'])
  const lines = [
    event('e1', 'bob'),
    event('e2', 'ada'),
    event('e3', 'bob', { alias: ['user_id:bob', 'email:ada'] }),
    event('e4', 'bob', { unlink: ['user_id:bob', 'email:ada'] }),
    event('e5', 'bob', { alias: ['user_id:bob', 'email:bob'] }),
    event('e6', 'bob', { identifiers: { user_id: 'bob', email: 'ada' } }),
    event('e7', 'cy'),
    event('e8', 'email:ada'),
  ]
  expect(rowsOf(list, lines)).toEqual([0, 1, 1, 1, 0, 1, 1, 0])
  const without = await listOf(['user_id:ada'])
  expect(rowsOf(without, lines.slice(0, 2))).toEqual([0, 1])
})

test.each<[text: string, isFound: boolean]>([
  [`{"email":"${MAIL}"`, true],
  [MAIL.toUpperCase(), true],
  [`?e=${encodeURIComponent(MAIL)}&x`, true],
  [`mail <${MAIL}>.`, true],
  [`x${MAIL}`, false],
  [`${MAIL.slice(1)}`, false],
  ['"user":"ada"', true],
  ['user_id = ada', true],
  ['x,ada,y', true],
  ['the ada language', false],
  ['"id":"event-4711"', true],
  ['"id":"event-47110"', false],
])('recognizes an erased value in a refused line: %s is %s', async (text, isFound) => {
  const list = await listOf(['user_id:ada', `email:${MAIL}`], ['event-4711'])
  expect(isIn(list, text)).toBe(isFound)
  // The answer about a text is kept.
  expect(isIn(list, text)).toBe(isFound)
  expect(isIn(await emptyList(), text)).toBe(false)
})

test('forgets its answers when a person is added', async () => {
  const list = await listOf(['user_id:ada'])
  list.add([`email:${MAIL}`], [])
  const same = MAIL.replace('Ada', 'Eve')
  expect(isIn(list, `"${same}"`)).toBe(false)
  list.add([`email:${same}`], [])
  expect(isIn(list, `"${same}"`)).toBe(true)
})

test('recognizes values after more texts than it keeps answers for', async () => {
  const long = 'x'.repeat(400)
  const list = await listOf([`email:${MAIL}`, `user_id:${long}`])
  for (let i = 0; i < 3; i++) {
    expect(isIn(list, `"${long}"`)).toBe(true)
    expect(isIn(list, `"${long}x"`)).toBe(false)
  }
  const many = Array.from({ length: 12_000 }, (_, i) => `"v-${i}"`).join()
  const hashed = await emptyList(['email'], KEY)
  hashed.add(['email:abc'], [])
  expect(isIn(hashed, many)).toBe(false)
  expect(isIn(hashed, `${many},email:abc`)).toBe(true)
})

test('the loaded list recognizes what the list that wrote it did', async () => {
  const written = await emptyList()
  const certificates = [
    written.add(['user_id:ada'], ['event-4711']),
    written.add([`email:${MAIL}`], []),
  ]
  const list = await loaded(certificates)
  expect(isIn(list, `to ${MAIL}, from "ada"`)).toBe(true)
  expect(isIn(list, 'x,ada,y')).toBe(true)
  expect(isIn(list, '"event-4711"')).toBe(true)
  expect(isIn(list, 'x,bob,y')).toBe(false)
  const lines = [event('e1', 'ada'), event('event-4711', 'bob'), event('e3', 'bob')]
  expect(rowsOf(list, lines)).toEqual([1, 1, 0])
  expect(list.add(['user_id:bob'], []).salt).toBe(certificates[0]?.salt)
})

test('certificates without searchable values are recognized between delimiters', async () => {
  const written = (await emptyList()).add(['user_id:ada', `email:${MAIL}`], ['event-4711'])
  const list = await loaded([{ ...written, values: [] }])
  expect(isIn(list, `"${MAIL}"`)).toBe(true)
  expect(isIn(list, `"email:${MAIL}"`)).toBe(true)
  expect(isIn(list, '{"id":"event-4711"}')).toBe(true)
  expect(isIn(list, '"bob"')).toBe(false)
  // With values the search is by words, also in the middle of a sentence.
  expect(isIn(await loaded([written]), `mail ${MAIL} now`)).toBe(true)
})

test('a plain value of a hashed namespace is recognized with the key', async () => {
  const hash = hashOf(KEY, MAIL)
  const certificates = [(await emptyList(['email'], KEY)).add([`email:${hash}`], [])]
  const withKey = await loaded(certificates, ['email'], KEY)
  expect(isIn(withKey, `"${MAIL}"`)).toBe(true)
  expect(isIn(withKey, `"${hash}"`)).toBe(true)
  expect(isIn(withKey, '"bob@example.org"')).toBe(false)
  const withoutKey = await loaded(certificates, ['email'])
  expect(isIn(withoutKey, `"${MAIL}"`)).toBe(false)
  expect(isIn(withoutKey, `"${hash}"`)).toBe(true)
  // The hash is of the value as written, or in lower case.
  const lower = await emptyList(['email'], KEY)
  lower.add([`email:${hashOf(KEY, MAIL.toLowerCase())}`], [])
  expect(isIn(lower, `"${MAIL}"`)).toBe(true)
  expect(isIn(lower, `"x${MAIL}"`)).toBe(false)
})
