/** Unpacking messages into lines: what a message may contain, and how unreadable ones are handled. */

import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { ChunkDecoder } from '../../pipeline/decode/decode.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import {
  CHUNK_BYTES_MAX,
  cutToSize,
  messagesOf,
  UNPACKED_BYTES_MAX,
} from '../../pipeline/decode/unpack-messages.ts'

const T0 = 1_772_359_200_000_000
const { identity } = makeDefinitions({})

const event = (id: string, changes: object = {}) => ({
  event_id: id,
  name: 'Go',
  occurred_at: T0 / 1_000,
  identifiers: { user_id: 'u1' },
  ...changes,
})

/** Decodes messages published one second apart. */
function decode(...messages: (string | Buffer)[]) {
  const decoder = new ChunkDecoder({
    identity,
    operandPaths: [],
    format: undefined,
    events: { events: {} },
    hashKey: undefined,
  })
  const { bytes, messages: framed } = messagesOf(
    messages.map((data) => Buffer.from(data)),
    messages.map((_, i) => T0 + i * 1_000_000),
  )
  const batch = decoder.decodeMessages(bytes, framed)
  const raw = (from: number, to: number) => Buffer.from(batch.raw.subarray(from, to)).toString()
  return {
    ids: batch.eventId,
    received: [...batch.receivedAt].map((at) => (at - T0) / 1_000_000),
    refused: batch.refusals.map(({ from, to, reason }) => [reason, raw(from, to)]),
    details: batch.refusals.map(({ detail }) => detail).join('\n'),
    lines: [...batch.lineFrom].map((from, row) => raw(from, batch.lineTo[row] as number)),
  }
}

const e = (id: string) => JSON.stringify(event(id))

describe('a message may contain', () => {
  test('accepts one event, NDJSON or an array, gzipped or not, received when published', () => {
    const list = `[ ${e('e4')} ,\n\n  ${e('e5')}\n]\n`
    const { ids, received, refused } = decode(
      e('e1'),
      `${e('e2')}\n${e('e3')}\n`,
      list,
      gzipSync(e('e6')),
      gzipSync(`[${e('e7')},${e('e8')}]`),
    )
    expect(ids).toEqual(['e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7', 'e8'])
    expect(received).toEqual([0, 1, 1, 2, 2, 3, 4, 4])
    expect(refused).toEqual([])
  })

  test('accepts one event over several lines', () => {
    const { ids, refused } = decode(JSON.stringify(event('e1'), null, 2), e('e2'))
    expect({ ids, refused }).toEqual({ ids: ['e1', 'e2'], refused: [] })
  })

  test('keeps array elements as sent if their texts look like structure', () => {
    const odd = JSON.stringify(event('e1', { properties: { '],[': '\\"},{"', list: [1, [2]] } }))
    const { ids, lines } = decode(`[${odd},${odd.replace('e1', 'e2')}]`)
    expect(ids).toEqual(['e1', 'e2'])
    expect(lines[0]).toBe(odd)
  })

  test('accepts gzip of several members', () => {
    const members = Buffer.concat([gzipSync(`${e('e1')}\n`), gzipSync(`${e('e2')}\n${e('e3')}`)])
    expect(decode(members, e('e4'))).toMatchObject({ ids: ['e1', 'e2', 'e3', 'e4'], refused: [] })
  })

  test('accepts an empty array', () => {
    expect(decode('[]', '[ ]', '\n')).toMatchObject({ ids: [], refused: [] })
  })
})

describe('a rejected message', () => {
  test('is rejected whole and unchanged if it claims to be gzip and is not', () => {
    const broken = gzipSync(e('e1'))
    broken[14] = (broken[14] as number) ^ 0xff
    const { ids, refused } = decode(e('e0'), broken, e('e2'))
    expect(ids).toEqual(['e0', 'e2'])
    expect(refused).toEqual([['invalid_gzip', broken.toString()]])
  })

  test('is rejected if it unpacks to more than it declares, or to too much', () => {
    const liar = gzipSync('x'.repeat(1_000_000))
    liar.writeUInt32LE(10, liar.length - 4)
    const bomb = gzipSync(Buffer.alloc(UNPACKED_BYTES_MAX + 1))
    const { refused, details } = decode(liar, bomb)
    expect(refused.map(([reason]) => reason)).toEqual(['invalid_gzip', 'too_large'])
    expect(details).toContain(`has more than ${UNPACKED_BYTES_MAX} bytes unpacked`)
  })

  test('is rejected if its gzip members unpack to too much together', () => {
    const member = gzipSync(Buffer.alloc(UNPACKED_BYTES_MAX / 2 + 1))
    const { refused, details } = decode(Buffer.concat([member, member]))
    expect(refused.map(([reason]) => reason)).toEqual(['too_large'])
    expect(details).toContain('unpacked')
  })

  test('is rejected whole if it has more lines than its bytes can contain events', () => {
    const packed = gzipSync('0\n'.repeat(UNPACKED_BYTES_MAX / 2))
    const { ids, refused } = decode(packed, e('e1'), `[${'0,'.repeat(1_000)}0]`)
    expect(ids).toEqual(['e1'])
    expect(refused).toEqual([
      ['too_large', packed.toString()],
      ['too_large', `[${'0,'.repeat(1_000)}0]`],
    ])
  })

  test('is rejected line by line if its bytes can contain as many events', () => {
    const { ids, refused } = decode(`${e('e1')}\n${'0\n'.repeat(15)}`)
    expect({ ids, refused: refused.length }).toEqual({ ids: ['e1'], refused: 15 })
  })

  test('is rejected in little memory if it is nested deeply', () => {
    const deep = gzipSync('['.repeat(2_000_000) + ']'.repeat(2_000_000))
    const before = process.memoryUsage().rss
    expect(decode(deep).refused).toHaveLength(1)
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024)
  })

  test('is rejected if it has no data, with or without attributes', () => {
    expect(decode('', e('e1'))).toMatchObject({ ids: ['e1'], refused: [['missing_field', '']] })
  })

  test('is rejected element by element while the other elements land', () => {
    const { ids, refused } = decode(`[${e('e1')}, 7, {"a":1}, [${e('e2')}]]`, '[1, 2')
    expect(ids).toEqual(['e1'])
    expect(refused.map(([, raw]) => raw)).toEqual(['7', '{"a":1}', `[${e('e2')}]`, '[1, 2'])
  })
})

test('cuts a chunk by the unpacked size of gzip of several members', () => {
  const half = gzipSync(Buffer.alloc(CHUNK_BYTES_MAX / 2))
  const members = { data: Buffer.concat([half, half, gzipSync('')]) }
  expect(cutToSize([members, { data: gzipSync(Buffer.alloc(10)) }])).toEqual([members])
})

test('cuts a chunk by the unpacked size of its messages, and keeps at least one', () => {
  const large = { data: gzipSync(Buffer.alloc(CHUNK_BYTES_MAX)) }
  const small = { data: gzipSync(Buffer.alloc(10)) }
  expect(cutToSize([large, small])).toEqual([large])
  expect(cutToSize([small, large, small])).toEqual([small])
  expect(cutToSize([small, small])).toHaveLength(2)
})
