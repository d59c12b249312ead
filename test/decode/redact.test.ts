/**
 * Redaction of hashed namespaces: decoding returns no plain value in any spelling, and decodes a
 * redacted line like the plain one.
 */

import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { contentAt, IDENTIFIERS, PROPERTIES } from '../../pipeline/decode/content-builder.ts'
import { ChunkDecoder } from '../../pipeline/decode/decode.ts'
import type { DecodeOptions } from '../../pipeline/decode/line-decoder.ts'
import { REJECTION_REASONS, type EventBatch } from '../../pipeline/decode/event-batch.ts'
import { hashOf } from '../../pipeline/decode/hash-key.ts'
import { messagesOf } from '../../pipeline/decode/unpack-messages.ts'
import { IDENTITY_DEFAULT } from '../../pipeline/definition/settings.ts'
import { textAt } from '../../pipeline/base/columns.ts'

const KEY = 'secret'
const NOW = 1_772_366_400_000_000
const ADA = 'ada+x@example.org'
const ADA_HASH = hashOf(KEY, ADA)
/** Spellings of the address; the plain ones come first. */
const SPELLINGS = [
  ADA,
  'ADA+X@Example.ORG',
  'ada+x%40example.org',
  'ada%2bx%40example%2Eorg',
  'ada%252Bx%2540example.org',
  'ada\\u002bx\\u0040example.org',
  'ada+x\\\\u0040example.org',
]

const OPTIONS: DecodeOptions = {
  identity: { ...IDENTITY_DEFAULT, hashed: ['email', 'user_id'] },
  operandPaths: [],
  format: undefined,
  events: {
    events: { Priced: z.object({ price: z.number() }), Seen: null, Identify: null, Alias: null },
    unknown: 'refuse',
  },
  hashKey: KEY,
}
const decoder = new ChunkDecoder(OPTIONS)

const decode = (...lines: string[]) => decoder.decode(Buffer.from(lines.join('\n')), NOW)
const again = (batch: EventBatch) => decoder.decode(batch.raw.slice(), NOW)
const rawOf = ({ raw }: EventBatch) => Buffer.from(raw).toString('latin1')

/** Returns everything that decoding returns, as text without escapes. */
function everythingOf(batch: EventBatch): string {
  const content = Buffer.from(batch.content.bytes).toString('latin1')
  const plain = [batch.eventId, batch.name.values, batch.source.values, batch.refusals]
  const pairs = [...batch.aliasJson.values(), ...batch.unlinkJson.values()]
  return [rawOf(batch), content, JSON.stringify(plain), ...pairs].join('\n')
}

function expectNoPlain(batch: EventBatch, ...more: string[]): void {
  let text = everythingOf(batch).toLowerCase()
  for (let level = 0; level < 4; level++) {
    for (const value of [...SPELLINGS, ...more]) expect(text).not.toContain(value.toLowerCase())
    text = text
      .replaceAll(/%([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
      .replaceAll(/\\+u00([0-9a-f]{2})/g, (_, hex: string) =>
        String.fromCharCode(parseInt(hex, 16)),
      )
  }
}

const event = (changes: object = {}) => ({
  event_id: 'e1',
  name: 'Seen',
  occurred_at: '2026-03-01T10:00:00Z',
  identifiers: { email: ADA, anonymous_id: 'a1' },
  ...changes,
})
const native = (changes: object = {}) => JSON.stringify(event(changes))

describe('plain values are removed', () => {
  test.each(SPELLINGS)('removes an address spelled %s from texts and keys', (spelling) => {
    const line = native({ properties: { a: ['SPOT'], SPOT: { b: 'see SPOTs, SPOT' } } })
    const batch = decode(line.replaceAll('SPOT', spelling))
    expect(batch.count).toBe(1)
    expectNoPlain(batch)
    expect(textAt(batch.content, contentAt(0, PROPERTIES)).split(ADA_HASH)).toHaveLength(5)
  })

  test('removes values from JSON within JSON within JSON', () => {
    const inner = JSON.stringify({ q: JSON.stringify({ email: ADA, 'a"\\b': ADA }) })
    const batch = decode(native({ properties: { inner }, context: { url: `/?q=${inner}` } }))
    expectNoPlain(batch)
    const { inner: landed } = JSON.parse(textAt(batch.content, contentAt(0, PROPERTIES))) as {
      inner: string
    }
    const { q } = JSON.parse(landed) as { q: string }
    expect(JSON.parse(q)).toEqual({ email: ADA_HASH, 'a"\\b': ADA_HASH })
  })

  test('removes values with quotes, backslashes, spaces and non-ASCII letters', () => {
    for (const value of ['DOMAIN\\new "Zoë" 🜁', 'a/b c d', 'zoë@example.org']) {
      const forms = [value, encodeURIComponent(value), JSON.stringify(value)]
      const escaped = encodeURIComponent(JSON.stringify(value))
      const plus = encodeURIComponent(value).replaceAll('%20', '+')
      const properties = { list: [...forms, escaped, plus, `x${value}y`] }
      const batch = decode(native({ identifiers: { email: value }, properties }))
      const hash = hashOf(KEY, value)
      expect(JSON.parse(textAt(batch.content, contentAt(0, PROPERTIES)))).toEqual({
        list: [hash, hash, `"${hash}"`, `%22${hash}%22`, hash, `x${hash}y`],
      })
    }
  })

  test('removes members named like the namespace, at any depth and in any style', () => {
    const properties = { deep: [{ 'E-Mail': ['bob@y.org', { work: 'eve@y.org' }] }], userId: 4711 }
    const batch = decode(native({ properties, context: { n: 'bob@y.org', EMAIL: ' zed@y.org ' } }))
    expectNoPlain(batch, 'bob@y.org', 'eve@y.org', 'zed@y.org', '4711')
    expect(JSON.parse(textAt(batch.content, contentAt(0, PROPERTIES)))).toEqual({
      deep: [{ 'E-Mail': [hashOf(KEY, 'bob@y.org'), { work: hashOf(KEY, 'eve@y.org') }] }],
      userId: hashOf(KEY, '4711'),
    })
  })

  test('removes both values of a duplicate member', () => {
    const line = native({ properties: { a: 1 } }).replace(
      '"a":1',
      '"email":"bob@y.org","email":"c"',
    )
    expectNoPlain(decode(line), 'bob@y.org')
  })

  test('removes values from canonical fields, other identifiers and pairs', () => {
    const line = native({
      event_id: `id-${ADA}`,
      source: `from ${ADA}`,
      identifiers: { email: ADA, anonymous_id: ADA, other: `x:${ADA}` },
      alias: [`email: ${ADA} `, 'user_id:u-12345'],
      unlink: ['user_id:u-99999', ` email:${ADA}`],
    })
    const batch = decode(line)
    expect(batch.count).toBe(1)
    expectNoPlain(batch, 'u-12345', 'u-99999')
    expect(batch.aliasJson.get(0)).toBe(
      JSON.stringify([`email:${ADA_HASH}`, `user_id:${hashOf(KEY, 'u-12345')}`]),
    )
  })

  test('removes values from Segment calls', () => {
    const call = { messageId: 'm', timestamp: '2026-03-01T10:00:00Z', anonymousId: 'a-1' }
    const context = { traits: { email: 'bob@y.org' }, ip: 'bob@y.org', page: { url: `?e=${ADA}` } }
    const traits = { email: ADA, bio: `write to ${ADA}` }
    const calls = [
      { ...call, type: 'identify', userId: 'user-1', traits, context },
      {
        ...call,
        type: 'alias',
        userId: 'user-1',
        previousId: 'user-0',
        context: { was: 'user-0' },
      },
    ]
    const batch = decode(...calls.map((one) => JSON.stringify(one)))
    expect(batch.count).toBe(2)
    expectNoPlain(batch, 'bob@y.org', 'user-1', 'user-0')
    expect(JSON.parse(textAt(batch.content, contentAt(0, IDENTIFIERS)))).toEqual({
      user_id: hashOf(KEY, 'user-1'),
      email: ADA_HASH,
      anonymous_id: 'a-1',
    })
    expect(batch.corrections[0]).toMatchObject({ a: `user_id:${hashOf(KEY, 'user-0')}` })
  })
})

describe('previousId of a Segment alias', () => {
  const base = { messageId: 'm', timestamp: '2026-03-01T10:00:00Z', type: 'alias' }
  const read = (members: object, hashed: string[]) => {
    const identity = { ...IDENTITY_DEFAULT, hashed }
    const bytes = Buffer.from(JSON.stringify({ ...base, ...members }))
    const batch = new ChunkDecoder({ ...OPTIONS, identity }).decode(bytes, NOW)
    return [textAt(batch.content, contentAt(0, IDENTIFIERS)), batch.aliasJson.get(0)].join(' ')
  }

  test.each([[['user_id']], [['anonymous_id']], [['user_id', 'anonymous_id']]])(
    'lands hashed if %j is hashed',
    (hashed) => {
      const landed = read({ userId: 'user-1', previousId: 'before-0' }, hashed)
      const hash = hashOf(KEY, 'before-0')
      expect(landed).not.toContain('before-0')
      expect(landed).toContain(`"anonymous_id":"${hash}"} ["user_id:${hash}"`)
      expect(landed).toContain('"if_carried"]')
    },
  )

  test('is not read as a user id if it equals anonymousId', () => {
    const own = { userId: 'user-1', previousId: 'device-0 ', anonymousId: 'device-0' }
    expect(read(own, ['user_id'])).toContain('"anonymous_id":"device-0"')
    expect(read(own, ['anonymous_id'])).toContain(`"anonymous_id":"${hashOf(KEY, 'device-0')}"`)
    const named = { ...own, properties: { user_id: 'device-0' } }
    expect(read(named, ['user_id'])).not.toContain('device-0')
  })
})

test('keeps placeholders, short values inside words, times and other values', () => {
  const properties = { n: 7, a: '17', b: '2027-7', c: 'unknown', email: ' GUEST' }
  const batch = decode(native({ identifiers: { user_id: 7, email: 'unknown' }, properties }))
  expect(JSON.parse(textAt(batch.content, contentAt(0, PROPERTIES)))).toEqual({
    ...properties,
    b: `2027-${hashOf(KEY, '7')}`,
  })
  expect(JSON.parse(textAt(batch.content, contentAt(0, IDENTIFIERS)))).toMatchObject({
    email: 'unknown',
  })
  const spaced =
    ' {"event_id" : "e1", "name":"Seen","occurred_at":1772359200000,\t"identifiers":{"anonymous_id":"a"} }\r'
  expect(rawOf(decode(spaced))).toBe(spaced)
})

/** A line for each reason for which the decoder rejects lines. */
const REFUSED: { [reason: string]: string } = {
  invalid_utf8: `${native()}\xff`,
  invalid_json: native().slice(0, -9),
  too_large: native({ properties: { a: 'x'.repeat(4 * 1024 * 1024) } }),
  unknown_format: JSON.stringify({ email: ADA, text: `by ${ADA}` }),
  missing_field: native({ name: undefined, properties: { text: ADA } }),
  invalid_field: native({ ordinal: ADA }),
  no_identifier: native({ identifiers: { phone: ADA, email: null }, context: { email: ADA } }),
  occurred_in_future: native({ occurred_at: '2027-03-01T10:00:00Z' }),
  unknown_event: native({ name: `Mail to ${ADA}` }),
  invalid_properties: native({ name: 'Priced', properties: { price: ADA, email: ADA } }),
}

describe('rejected lines', () => {
  test.each(Object.entries(REFUSED))('a line rejected as %s has no plain value', (reason, line) => {
    const batch = decoder.decode(Buffer.from(line, 'latin1'), NOW)
    expect(batch.refusals.map((refusal) => refusal.reason)).toEqual([reason])
    const [refusal] = batch.refusals
    const kept = batch.raw.slice(refusal?.from, refusal?.to)
    expectNoPlain({ ...batch, raw: kept })
    expect(Buffer.from(kept).toString()).toContain('redacted')
    const isJson = !['invalid_utf8', 'invalid_json', 'too_large'].includes(reason)
    if (isJson) expect(JSON.parse(Buffer.from(kept).toString())).toHaveProperty('redacted')
    // Decoding it again gives the same line.
    const next = decoder.decode(kept.slice(), NOW)
    expect(Buffer.compare(next.raw, kept)).toBe(0)
    if (reason !== 'too_large') expect(next.refusals).toMatchObject([{ reason }])
  })

  test('the list above covers every reason except those of messages and stored events', () => {
    const others = ['invalid_gzip', 'duplicate_event_id']
    const known = [...Object.keys(REFUSED), ...others]
    expect(REJECTION_REASONS.filter((reason) => !known.includes(reason))).toEqual([])
  })

  test('a line that cannot be parsed keeps punctuation and member names', () => {
    const batch = decode(`{"event_id":"e 1","identifiers":{"email: "${ADA}'}, ${ADA};${ADA}`)
    expect(rawOf(batch)).toMatch(
      /^\{"event_id":"\* \*","identifiers":\{"email: "\*'\}, \*;\* \[redacted 5 [0-9a-f]{32} [0-9a-f]{16}\]$/,
    )
    const other = decode(`{"event_id":"e 1","identifiers":{"email: "${ADA}'}, ${ADA};${ADA}2`)
    expect(rawOf(other)).not.toBe(rawOf(batch))
  })

  test('a message that is not valid gzip keeps no content', () => {
    const packed = gzipSync(native(), { level: 0 })
    const { bytes, messages } = messagesOf(
      [packed.fill(7, 10, 14), Buffer.from(native())],
      [NOW, NOW],
    )
    const batch = decoder.decodeMessages(bytes, messages)
    expect(batch.refusals).toMatchObject([{ reason: 'invalid_gzip' }])
    expect(batch.count).toBe(1)
    expectNoPlain(batch)
  })
})

test('decodes a redacted line like the plain one, and does not redact it again', () => {
  const properties = { email: 'bob@y.org', text: `by ${ADA}` }
  const batch = decode(native({ properties, alias: [`email:${ADA}`, 'user_id:u-1'] }), native())
  const next = again(batch)
  expect(Buffer.compare(next.raw, batch.raw)).toBe(0)
  expect([...next.fingerprint]).toEqual([...batch.fingerprint])
  expect(next.identifiers).toEqual(batch.identifiers)
  expect(rawOf(batch)).toContain(',"redacted":{"values":')
})

test('does not accept a plain value that a sender marks as a hash', () => {
  const hex = 'a'.repeat(64)
  const line = native({ identifiers: { email: hex } })
  const forged = `${line.slice(0, -1)},"redacted":{"values":1,"key":"${'0'.repeat(32)}"}}`
  for (const one of [line, forged]) {
    const batch = decode(one)
    expect(JSON.parse(textAt(batch.content, contentAt(0, IDENTIFIERS)))).toEqual({
      email: hashOf(KEY, hex),
    })
  }
  expectNoPlain(decode(`${ADA} [redacted 1 ${'0'.repeat(32)} ${'0'.repeat(16)}]`))
})

test('takes linear time on many values, long values and long runs of escapes', () => {
  const shapes: ((bytes: number) => string)[] = [
    (bytes) =>
      native({ emails: Array.from({ length: bytes / 20 }, (_, n) => ({ email: `v-${n}@x` })) }),
    (bytes) => native({ email: 'ab'.repeat(bytes / 4), properties: { a: 'ab'.repeat(bytes / 4) } }),
    (bytes) => native({ properties: { a: '%25'.repeat(bytes / 3) } }),
    (bytes) => native({ properties: { a: '\\'.repeat(bytes / 2) } }),
    (bytes) => '"\\"'.repeat(bytes / 3),
    (bytes) => '{ '.repeat(bytes / 2),
  ]
  for (const shape of shapes) {
    const costs = [64, 128, 256].map((kib) => {
      const line = shape(kib * 1024)
      const runs = [0, 1, 2].map(() => {
        const before = process.cpuUsage()
        decode(line)
        const { user, system } = process.cpuUsage(before)
        return user + system
      })
      return Math.min(...runs)
    })
    const [small = 0, , large = 0] = costs
    // The input is four times as large; quadratic work would take sixteen times as long.
    expect(large).toBeLessThan(9 * small + 20_000)
  }
})
