/** Messages → lines: what a message may hold, and what becomes of one that cannot be read. */

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

/** Each message published a second after the one before. */
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

describe('a message holds', () => {
  test('one event, NDJSON or an array, packed or not, each received when it was published', () => {
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

  test('one event over several lines', () => {
    const { ids, refused } = decode(JSON.stringify(event('e1'), null, 2), e('e2'))
    expect({ ids, refused }).toEqual({ ids: ['e1', 'e2'], refused: [] })
  })

  test('elements whose texts look like structure, kept as they were sent', () => {
    const odd = JSON.stringify(event('e1', { properties: { '],[': '\\"},{"', list: [1, [2]] } }))
    const { ids, lines } = decode(`[${odd},${odd.replace('e1', 'e2')}]`)
    expect(ids).toEqual(['e1', 'e2'])
    expect(lines[0]).toBe(odd)
  })

  test('nothing, in an empty array', () => {
    expect(decode('[]', '[ ]', '\n')).toMatchObject({ ids: [], refused: [] })
  })
})

describe('a message is refused', () => {
  test('whole and as it came, when it says that it is packed and is not', () => {
    const broken = gzipSync(e('e1'))
    broken[14] = (broken[14] as number) ^ 0xff
    const { ids, refused } = decode(e('e0'), broken, e('e2'))
    expect(ids).toEqual(['e0', 'e2'])
    expect(refused).toEqual([['invalid_gzip', broken.toString()]])
  })

  test('when it would unpack to more than it says, or to too much', () => {
    const liar = gzipSync('x'.repeat(1_000_000))
    liar.writeUInt32LE(10, liar.length - 4)
    const bomb = gzipSync(Buffer.alloc(UNPACKED_BYTES_MAX + 1))
    const { refused, details } = decode(liar, bomb)
    expect(refused.map(([reason]) => reason)).toEqual(['invalid_gzip', 'too_large'])
    expect(details).toContain(`has ${UNPACKED_BYTES_MAX + 1} bytes unpacked`)
  })

  test('when it has no data, attributes or not', () => {
    expect(decode('', e('e1'))).toMatchObject({ ids: ['e1'], refused: [['missing_field', '']] })
  })

  test('element by element, the others landing', () => {
    const { ids, refused } = decode(`[${e('e1')}, 7, {"a":1}, [${e('e2')}]]`, '[1, 2')
    expect(ids).toEqual(['e1'])
    expect(refused.map(([, raw]) => raw)).toEqual(['7', '{"a":1}', `[${e('e2')}]`, '[1, 2'])
  })
})

test('a chunk is cut by what its messages are when unpacked, and has at least one', () => {
  const large = { data: gzipSync(Buffer.alloc(CHUNK_BYTES_MAX)) }
  const small = { data: gzipSync(Buffer.alloc(10)) }
  expect(cutToSize([large, small])).toEqual([large])
  expect(cutToSize([small, large, small])).toEqual([small])
  expect(cutToSize([small, small])).toHaveLength(2)
})
