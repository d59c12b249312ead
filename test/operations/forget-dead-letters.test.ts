/**
 * Erasure in dead letters: bytes that no decoder accepts are deleted if they contain an identifier
 * of the person in any form, and are dropped when they arrive again.
 */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { landedTable } from '../../pipeline/io/inbox-source.ts'
import { forget } from '../../pipeline/operations/forget.ts'
import { Harness } from '../support/dump.ts'

const AT = 1_900_000_000_000_000
const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

const event = (id: string, identifiers: object) =>
  JSON.stringify({ event_id: id, name: 'A', occurred_at: 1_772_359_200_000, identifiers })

const escaped = (text: string) =>
  [...text].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')

const EMAIL = 'ada.lovelace@example.org'
const USER = 'user-4711'

/** Refused lines that contain Ada. */
const HERS = [
  `{"event_id":"r1","identifiers":{"email":"${EMAIL}"}}`,
  `{"event_id":"r2","name":"A","identifiers":{"email":"${EMAIL}`,
  `2026-03-01,Product Added,${USER},19.99`,
  `{'event_id':'r4','identifiers':{'user_id':'${USER}'}}`,
  `{"event_id:"r5","name":"A","user_id:"${USER}","x:"1"}`,
  `{"event_id":"r6","page":"https://shop.example/?e=${encodeURIComponent(EMAIL)}&x=1"`,
  `{"event_id":"r7","page":"https://shop.example/?e=${encodeURIComponent(encodeURIComponent(EMAIL))}"`,
  `{"event_id":"r8","note":"please call ${USER} back, or write to <${EMAIL}>."`,
  `{"event_id":"r9","identifiers":{"email":"${escaped(EMAIL)}"`,
  JSON.stringify({ message: JSON.stringify({ message: event('r10', { user_id: USER }) }) }),
  `{"event_id":"r11","email":"ADA.Lovelace@Example.org"`,
  `Mar 01 10:00:00 web[1]: user_id=${USER} signed in`,
  // A device that only she used, and the id of one of her events.
  `{"event_id":"r13","anonymous_id":"phone-1"`,
  // Short values: in quotes, as a field, beside the name of a namespace.
  `{"event_id":"r14","identifiers":{"loyalty":"7"`,
  `{"event_id":"r15","loyalty":7,"name":`,
  `{"event_id":"r16","page":"/?loyalty%3D7%26x"`,
  `2026-03-01;7;Product Added`,
]

/** Refused lines of other people that look similar. */
const OTHERS = [
  `{"event_id":"o1","identifiers":{"email":"x${EMAIL}"}}`,
  `{"event_id":"o2","identifiers":{"user_id":"${USER}2"`,
  `{"event_id":"o3","quantity":7,"items":[1,7,3],"price":7.5`,
  `{"event_id":"o4","name":"Step 7","page":"/items/7/?page=7"`,
  `{"event_id":"o5","total":17,"product_id":7`,
  `{"event_id":"o6","name":"loyalty"`,
]

const identity = {
  person: ['user_id', 'email', 'loyalty'],
  device: ['anonymous_id'],
}
const LANDED = [
  event('x1', { user_id: USER, email: EMAIL, loyalty: '7', anonymous_id: 'phone-1' }),
  event('x2', { user_id: 'bob' }),
]

async function lettersIn({ warehouse }: Harness): Promise<string[]> {
  const rows = await warehouse.query('select raw from dead_letters')
  return rows.map(({ raw }) => Buffer.from(raw as Uint8Array).toString()).sort()
}

const how = { user: USER, isKept: false, isPlan: false, at: AT }

/** Returns whether a text contains a value that does not follow a letter or digit. */
function hasToken(text: string, value: string): boolean {
  for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + 1)) {
    if (!/[A-Za-z0-9]/.test(text[at - 1] ?? '')) return true
  }
  return false
}

test('deletes refused lines that contain the person in any form, and only those', async () => {
  const path = join(dir, 'forms.duckdb')
  const harness = new Harness(makeDefinitions({ identity }), duckdbWarehouse(path))
  const { warehouse, definitions } = harness
  await harness.feed([...LANDED, ...HERS, ...OTHERS])
  expect(await lettersIn(harness)).toEqual([...HERS, ...OTHERS].sort())
  await forget({ warehouse, definitions, ...how })
  expect(await lettersIn(harness)).toEqual([...OTHERS].sort())
  harness.restart()
  const again = await harness.feed([...HERS, ...OTHERS])
  expect(again).toMatchObject({ erased: HERS.length, landed: 0 })
  expect(await lettersIn(harness)).toEqual([...OTHERS].sort())
  await warehouse.close()
  const forms = [EMAIL, encodeURIComponent(EMAIL), escaped(EMAIL), 'phone-1', `${USER}"`].flatMap(
    (form) => [form, form.toLowerCase()],
  )
  for (const file of readdirSync(dir)) {
    const text = readFileSync(join(dir, file)).toString('latin1')
    const found = forms.filter((form) => hasToken(text, form))
    expect({ file, found }).toEqual({ file, found: [] })
  }
})

const asMessage = (message_id: string, data: Uint8Array) => ({
  subscription_name: 's',
  message_id,
  publish_time: AT,
  data,
  attributes: '{}',
})

test('searches gzip, including damaged gzip', async () => {
  const harness = new Harness(makeDefinitions({ identity }))
  const { warehouse, definitions } = harness
  await harness.feed(LANDED)
  const filler = Array.from({ length: 4_000 }, (_, n) => `${n * 7_919} filler`).join(' ')
  const whole = gzipSync(`nothing that parses: ${EMAIL} ${filler}`)
  const others = gzipSync(`nothing that parses: bob@example.org ${filler}`)
  const damaged = Buffer.from(whole).fill(0xff, whole.length >> 1)
  const messages = [
    asMessage('whole', whole),
    asMessage('cut short', whole.subarray(0, whole.length >> 1)),
    asMessage('damaged', damaged),
    asMessage('of others', others),
    asMessage('of others, cut short', others.subarray(0, others.length >> 1)),
  ]
  await warehouse.append('landed_messages', landedTable(messages), AT)
  await forget({ warehouse, definitions, ...how })
  const rows = await warehouse.query('select message_id from landed_messages order by 1')
  expect(rows.map(({ message_id }) => message_id)).toEqual(['of others', 'of others, cut short'])
})
