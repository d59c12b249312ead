/** Decoding: which lines are accepted and how they land, and which are rejected and why. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { REJECTION_REASONS, type EventBatch } from '../../pipeline/decode/event-batch.ts'
import { contentAt, IDENTIFIERS, PROPERTIES } from '../../pipeline/decode/content-builder.ts'
import { ChunkDecoder } from '../../pipeline/decode/decode.ts'
import { LINE_BYTES_MAX } from '../../pipeline/decode/limits.ts'
import type { DecodeOptions } from '../../pipeline/decode/line-decoder.ts'
import { IDENTITY_DEFAULT } from '../../pipeline/definition/settings.ts'
import { sliceMembers } from '../../pipeline/decode/json-slice.ts'
import { textAt } from '../../pipeline/base/columns.ts'

/** 2026-03-01T12:00:00Z */
const NOW = 1_772_366_400_000_000

const EVENT = {
  event_id: 'e1',
  name: 'Seen',
  occurred_at: '2026-03-01T10:00:00Z',
  identifiers: { user_id: 'u1' },
}

function decode(input: string | Uint8Array, options: Partial<DecodeOptions> = {}): EventBatch {
  const decoder = new ChunkDecoder({
    identity: IDENTITY_DEFAULT,
    operandPaths: ['properties.a.b', 'context.c'],
    format: undefined,
    events: { events: { Priced: z.object({ price: z.number() }) } },
    hashKey: undefined,
    ...options,
  })
  return decoder.decode(typeof input === 'string' ? new TextEncoder().encode(input) : input, NOW)
}

const NESTED = '['.repeat(2_000) + ']'.repeat(2_000)

const event = (changes: object) => JSON.stringify({ ...EVENT, ...changes })

describe('rejected lines', () => {
  test.each<[line: string, reason: string, detail: string]>([
    ['{', 'invalid_json', 'is not JSON'],
    ['{"a":'.repeat(9_000), 'invalid_json', 'nested deeper than 500'],
    [event({ name: JSON.parse(NESTED) as unknown }), 'invalid_json', 'nested deeper than 500'],
    [
      event({ properties: JSON.parse(NESTED) as unknown }),
      'invalid_json',
      'nested deeper than 500',
    ],
    ['[1]', 'unknown_format', '[1] is not an object'],
    ['7', 'unknown_format', '7 is not an object'],
    ['{"what":1}', 'unknown_format', 'members ["what"] match no known format'],
    [event({ event_id: undefined }), 'missing_field', 'event_id: missing'],
    [event({ event_id: null }), 'missing_field', 'event_id: missing'],
    [event({ event_id: 7 }), 'invalid_field', 'event_id: 7 is not a text of 1 to 256'],
    [event({ event_id: '' }), 'invalid_field', 'event_id: "" is not'],
    [event({ event_id: 'x'.repeat(257) }), 'invalid_field', 'event_id: "xxx'],
    [event({ name: ['x'] }), 'invalid_field', 'name: ["x"] is not'],
    [event({ occurred_at: 'soon' }), 'invalid_field', 'occurred_at: "soon" is not RFC 3339'],
    [event({ occurred_at: '2026-02-30T10:00:00Z' }), 'invalid_field', 'occurred_at'],
    [event({ occurred_at: '2026-03-01T10:00:00' }), 'invalid_field', 'occurred_at'],
    [event({ occurred_at: 1e300 }), 'invalid_field', 'occurred_at'],
    [
      event({ occurred_at: 1_541_105_830 }),
      'invalid_field',
      'occurred_at: 1541105830 is not RFC 3339 text, or epoch milliseconds from the year 2000 on: ' +
        'seconds must be multiplied by 1,000',
    ],
    [event({ occurred_at: 946_684_799_999 }), 'invalid_field', 'from the year 2000 on'],
    [event({ received_at: 1_541_105_830 }), 'invalid_field', 'received_at: 1541105830 is not'],
    [event({ received_at: 'x' }), 'invalid_field', 'received_at: "x"'],
    [event({ ordinal: 1.5 }), 'invalid_field', 'ordinal: 1.5 is not an integer'],
    [event({ ordinal: '1' }), 'invalid_field', 'ordinal: "1" is not an integer'],
    [event({ source: 7 }), 'invalid_field', 'source: 7 is not a text'],
    [event({ properties: [] }), 'invalid_field', 'properties: [] is not an object'],
    [event({ context: 'x' }), 'invalid_field', 'context: "x" is not an object'],
    [event({ identifiers: 'u1' }), 'invalid_field', 'identifiers: "u1" is not an object'],
    [event({ identifiers: { user_id: true } }), 'invalid_field', 'identifiers.user_id: true'],
    [event({ identifiers: { user_id: {} } }), 'invalid_field', 'identifiers.user_id: {}'],
    [event({ identifiers: { user_id: 2 ** 53 } }), 'invalid_field', 'a number within 2^53'],
    [event({ identifiers: undefined }), 'no_identifier', 'has none of user_id, email'],
    [event({ identifiers: { user_id: ' NULL ' } }), 'no_identifier', 'has none of'],
    [event({ identifiers: { user_id: 0 } }), 'no_identifier', 'has none of'],
    [event({ identifiers: { cookie: 'c1' } }), 'no_identifier', 'has none of'],
    [event({ alias: 'user_id:a' }), 'invalid_field', 'alias: "user_id:a" is not a pair'],
    [event({ alias: ['user_id:a'] }), 'invalid_field', 'alias: ["user_id:a"] is not a pair'],
    [event({ alias: ['a:b', 'a:c', 'if'] }), 'invalid_field', 'alias: ["a:b","a:c","if"] is not'],
    [event({ alias: ['a:b', 7, 'if_carried'] }), 'invalid_field', 'alias: ["a:b",7] is not a pair'],
    [event({ unlink: ['a:b', 'a:c', 'if_carried'] }), 'invalid_field', 'is not a pair'],
    [
      event({ unlink: ['a', 'user_id:b'] }),
      'invalid_field',
      'unlink: ["a","user_id:b"] is not a pair',
    ],
    [event({ occurred_at: '2026-03-02T12:00:00.000001Z' }), 'occurred_in_future', '24 h ahead'],
    [
      event({ name: 'Priced', properties: { price: 'x' } }),
      'invalid_properties',
      'properties.price',
    ],
    [
      `{"event_id":"\\ud800",${event({}).slice(1).replace('"event_id":"e1",', '')}`,
      'invalid_field',
      'event_id',
    ],
  ])('%s', (line, reason, detail) => {
    const { count, refusals, read } = decode(line)
    expect({ count, read }).toEqual({ count: 0, read: 1 })
    expect(refusals[0]).toMatchObject({ from: 0, to: line.length, reason })
    expect(refusals[0]?.detail).toContain(detail)
  })

  test('a line that is not UTF-8 is rejected', () => {
    const bytes = new TextEncoder().encode(event({ source: 'x' }))
    bytes[20] = 0xff
    expect(decode(bytes).refusals[0]?.reason).toBe('invalid_utf8')
  })

  test('a line that is too large is rejected and its beginning is kept', () => {
    const { refusals } = decode('x'.repeat(LINE_BYTES_MAX + 1))
    expect(refusals[0]).toMatchObject({ reason: 'too_large', from: 0 })
  })

  test('a line that would exceed the row size after decoding is rejected', () => {
    const escaped = `"\\u0070roperties":{"a":[${'1e20,'.repeat(600_000)}0]}`
    const rewritten = decode(`{${escaped},${event({}).slice(1)}`)
    expect(rewritten.refusals[0]?.reason).toBe('too_large')
    expect(rewritten.refusals[0]?.detail).toMatch(/the event lands with 13\d+ bytes, more than/)
  })

  test('the detail of a rejection has a bounded length', () => {
    const { refusals } = decode(event({ identifiers: { ['n'.repeat(100_000)]: true } }))
    expect(refusals[0]?.detail.length).toBe(1_000)
  })

  test('an event that events.ts does not declare is rejected if unknown is "refuse"', () => {
    const events = { events: {}, unknown: 'refuse' as const }
    expect(decode(event({}), { events }).refusals[0]?.reason).toBe('unknown_event')
    expect(REJECTION_REASONS).toContain('unknown_event')
  })
})

describe('accepted lines', () => {
  test('skips blank lines and a byte order mark, and accepts both kinds of line ends', () => {
    const batch = decode(`\ufeff${event({})}\r\n\n  \n${event({ event_id: 'e2' })}`)
    expect(batch.refusals).toEqual([])
    expect(batch.eventId).toEqual(['e1', 'e2'])
    expect(batch.read).toBe(2)
  })

  test('fills in every default', () => {
    const batch = decode(event({}))
    expect(batch.source.values).toEqual(['unknown'])
    expect([batch.ordinal[0], batch.receivedAt[0]]).toEqual([0, NOW])
    expect(textAt(batch.content, contentAt(0, PROPERTIES))).toBe('{}')
    expect(batch.operands).toEqual([[undefined], [undefined]])
  })

  test.each<[occurredAt: unknown, micros: number]>([
    ['2026-03-01T10:00:00Z', 1_772_359_200_000_000],
    ['2026-03-01T11:30:00.123456789+01:30', 1_772_359_200_123_456],
    [1_772_359_200_000, 1_772_359_200_000_000],
    [1_772_359_200_000.5, 1_772_359_200_000_500],
    [946_684_800_000, 946_684_800_000_000],
    ['1969-12-31T23:59:59.999999Z', -1],
  ])('accepts occurred_at %j', (occurred_at, micros) => {
    expect(decode(event({ occurred_at })).occurredAt[0]).toBe(micros)
  })

  test('accepts an event exactly 24 hours ahead of its receipt', () => {
    expect(decode(event({ occurred_at: '2026-03-02T12:00:00Z' })).count).toBe(1)
  })

  test('trims identifiers, turns numbers into text, and links no ignored or undeclared ones', () => {
    const identifiers = {
      user_id: ' u1 ',
      email: 'none',
      device_id: 25,
      cookie: 'c',
      anonymous_id: null,
    }
    const batch = decode(event({ identifiers }))
    expect(JSON.parse(textAt(batch.content, contentAt(0, IDENTIFIERS)))).toEqual({
      user_id: 'u1',
      email: 'none',
      device_id: '25',
      cookie: 'c',
    })
    expect(batch.identifiers.map(({ values, codes }) => values[codes[0] ?? -1])).toEqual([
      'user_id:u1',
      undefined,
      undefined,
      'device_id:25',
    ])
  })

  test('stores the text as the sender wrote it', () => {
    const line = `{"properties" : {"n":1.0, "q":"\\"}"} ,${event({}).slice(1)}`
    expect(textAt(decode(line).content, contentAt(0, PROPERTIES))).toBe('{"n":1.0, "q":"\\"}"}')
  })

  test('reads operands from own members of objects only', () => {
    const operand = (properties: object) => decode(event({ properties })).operands[0]?.[0]
    expect(operand({ a: { b: [1] } })).toEqual([1])
    expect(operand({ a: { b: null } })).toBeUndefined()
    expect(operand({ a: [{ b: 1 }] })).toBeUndefined()
    expect(operand({ 'a.b': 1 })).toBeUndefined()
  })

  test('reads the same operands before and after storing them as JSON', () => {
    const operand = (b: string) =>
      decode(event({}).replace('}', `},"properties":{"a":{"b":${b}}}`)).operands[0]?.[0]
    expect(operand('1e308')).toBe(1e308)
    expect(operand('1e999')).toBeUndefined()
    expect(operand('[1e999]')).toEqual([null])
  })

  test('applies a correction only between declared person identifiers with real values', () => {
    const pairs = (alias: unknown) => decode(event({ alias })).corrections
    expect(pairs(['user_id: a', 'email:b'])).toEqual([
      { row: 0, kind: 'alias', a: 'user_id:a', b: 'email:b' },
    ])
    expect(pairs(['user_id:null', 'email:b'])).toEqual([])
    expect(pairs(['user_id:a', 'anonymous_id:b'])).toEqual([])
    expect(decode(event({ alias: ['user_id: a', 'x:b'] })).aliasJson.get(0)).toBe(
      '["user_id:a","x:b"]',
    )
  })

  test('never stores plain values of hashed namespaces, and stores ignored ones as they are', () => {
    const options = { identity: { ...IDENTITY_DEFAULT, hashed: ['email'] }, hashKey: 'k' }
    const identifiers = { user_id: 'u1', email: ' a@b ' }
    const batch = decode(event({ identifiers, alias: ['email:a@b', 'email:none'] }), options)
    const text = JSON.stringify([
      textAt(batch.content, contentAt(0, IDENTIFIERS)),
      batch.aliasJson.get(0),
    ])
    expect(text).not.toContain('a@b')
    expect(text).toContain('email:none')
    expect(batch.identifiers[1]?.values[0]).toMatch(/^email:[0-9a-f]{64}$/)
    expect(() => decode('', { ...options, hashKey: undefined })).toThrow('DESIRE_PATH_HASH_KEY')
  })

  test('gives an event the same fingerprint whenever it is received', () => {
    const prints = (changes: object) => decode(event(changes)).fingerprint[0]
    expect(prints({ received_at: NOW / 1_000 })).toBe(prints({}))
    expect(prints({ ordinal: 1 })).not.toBe(prints({}))
  })
})

describe('Segment', () => {
  const CALL = {
    type: 'track',
    messageId: 'm1',
    event: 'Bought',
    userId: 'u1',
    anonymousId: 'a1',
    timestamp: '2026-03-01T10:00:00Z',
  }
  const call = (changes: object, options: Partial<DecodeOptions> = {}) =>
    decode(JSON.stringify({ ...CALL, ...changes }), options)
  const nameOf = ({ name }: EventBatch) => name.values[0]

  test.each([
    ['page', 'Page Viewed'],
    ['screen', 'Screen Viewed'],
    ['identify', 'Identify'],
    ['group', 'Group'],
    ['alias', 'Alias'],
    ['track', 'Bought'],
  ])('names a %s call %s', (type, name) => expect(nameOf(call({ type }))).toBe(name))

  test('reads the email from traits, and stores the traits of identify as properties', () => {
    const batch = call({ type: 'identify', traits: { email: 'x@y' } })
    expect(batch.identifiers.map(({ values }) => values[0])).toEqual([
      'user_id:u1',
      'email:x@y',
      'anonymous_id:a1',
      undefined,
    ])
    expect(textAt(batch.content, contentAt(0, PROPERTIES))).toBe('{"email":"x@y"}')
  })

  test('corrects the sender’s clock if the call has no timestamp', () => {
    const batch = call({
      timestamp: undefined,
      originalTimestamp: '2026-03-01T20:00:00Z',
      sentAt: '2026-03-01T20:00:10Z',
      receivedAt: '2026-03-01T10:00:10Z',
    })
    expect(batch.occurredAt[0]).toBe(1_772_359_200_000_000)
  })

  test.each(['originalTimestamp', 'sentAt'])('rejects %s in epoch seconds', (field) => {
    const times = { originalTimestamp: '2026-03-01T10:00:00Z', sentAt: '2026-03-01T10:00:10Z' }
    const { refusals } = call({ timestamp: undefined, ...times, [field]: 1_541_105_830 })
    expect(refusals[0]?.reason).toBe('invalid_field')
    expect(refusals[0]?.detail).toContain(`${field}: 1541105830 is not RFC 3339 text`)
  })

  test('accepts an event that waited on its device since before the year 2000', () => {
    const batch = call({
      timestamp: undefined,
      originalTimestamp: '1999-01-01T00:00:00Z',
      sentAt: '2026-03-01T10:00:10Z',
      receivedAt: '2026-03-01T10:00:10.25Z',
    })
    expect(batch.occurredAt[0]).toBe(915_148_800_250_000)
  })

  test('gives an event dated by its receipt the same fingerprint whenever it is received', () => {
    const print = (receivedAt: string, sentAt = '2026-03-01T20:00:10Z') =>
      call({
        timestamp: undefined,
        originalTimestamp: '2026-03-01T20:00:00Z',
        sentAt,
        receivedAt,
      }).fingerprint[0]
    expect(print('2026-03-01T10:00:10Z')).toBe(print('2026-03-01T11:00:10Z'))
    expect(print('2026-03-01T10:00:10Z')).not.toBe(
      print('2026-03-01T10:00:10Z', '2026-03-01T20:00:11Z'),
    )
  })

  test('reads alias.previousId as an alias that counts if an event carries it', () => {
    const batch = call({ type: 'alias', previousId: ' old' })
    expect(batch.corrections).toEqual([
      { row: 0, kind: 'if_carried', a: 'user_id:old', b: 'user_id:u1' },
    ])
    expect(batch.aliasJson.get(0)).toBe('["user_id:old","user_id:u1","if_carried"]')
    expect(textAt(batch.content, contentAt(0, IDENTIFIERS))).toBe(
      '{"user_id":"u1","anonymous_id":"a1"}',
    )
  })

  test('reads an alias as an identify if previousId is its anonymousId', () => {
    for (const [previousId, anonymousId] of [
      ['a1', 'a1'],
      [' a1', 'a1 '],
      [7, '7'],
    ]) {
      const batch = call({ type: 'alias', previousId, anonymousId })
      expect([...batch.corrections, ...batch.aliasJson.values()]).toEqual([])
      expect(batch.count).toBe(1)
    }
  })

  test('reads previousId as the device of an alias without an anonymousId', () => {
    for (const anonymousId of [undefined, null]) {
      const batch = call({ type: 'alias', previousId: 'old', anonymousId })
      expect(textAt(batch.content, contentAt(0, IDENTIFIERS))).toBe(
        '{"user_id":"u1","anonymous_id":"old"}',
      )
      expect(batch.corrections[0]).toMatchObject({ kind: 'if_carried', a: 'user_id:old' })
    }
  })

  test('ignores previousId without a userId, and in another call', () => {
    for (const changes of [{ type: 'alias', userId: null }, { type: 'identify' }]) {
      const batch = call({ ...changes, previousId: 'old' })
      expect([...batch.corrections, ...batch.aliasJson.values()]).toEqual([])
      expect(textAt(batch.content, contentAt(0, IDENTIFIERS))).not.toContain('old')
    }
  })

  test('rejects an alias.previousId that is neither text nor a number', () => {
    for (const anonymousId of ['a1', undefined, { id: 'old' }]) {
      const { refusals } = call({ type: 'alias', previousId: { id: 'old' }, anonymousId })
      expect(refusals[0]?.detail).toContain('{"id":"old"}')
    }
  })

  test('rejects a native event if the Segment format is forced', () => {
    expect(decode(event({}), { format: 'segment' }).refusals[0]?.reason).toBe('invalid_field')
  })
})

test('slices members as JSON.parse reads them', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('a', 'b', '"', '\\', 'é'), fc.jsonValue(), { maxKeys: 5 }),
      fc.constantFrom(undefined, 1, '\t'),
      (object, space) => {
        const line = JSON.stringify(object, null, space)
        const slices = sliceMembers(line, ['a', 'b'])
        for (const [i, name] of (['a', 'b'] as const).entries()) {
          const slice = slices?.[i]
          if (slices === null) expect(line).toContain('\\')
          else if (slice === undefined) expect(Object.hasOwn(object, name)).toBe(false)
          else
            expect(JSON.parse(line.slice(...slice))).toEqual(
              JSON.parse(JSON.stringify(object[name])),
            )
        }
      },
    ),
  )
})
