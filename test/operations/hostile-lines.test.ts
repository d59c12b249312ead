/**
 * Lines constructed to be slow to search. Decoding, the search of an erasure, redelivery after it
 * and the search of the inbox take linear time in their bytes.
 */

import { cpuUsage } from 'node:process'
import { expect, test } from 'vitest'
import { ChunkDecoder } from '../../pipeline/decode/decode.ts'
import { IdentifierReader } from '../../pipeline/decode/identifier-values.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { ErasedPersons } from '../../pipeline/microbatch/suppression-list.ts'
import { land } from '../../pipeline/microbatch/deduplicate.ts'
import { lettersOf } from '../../pipeline/operations/find-person.ts'
import { cutMessages } from '../../pipeline/operations/redact-inbox.ts'
import { pseudonymised } from '../../pipeline/operations/pseudonymize.ts'
import { landedTable } from '../../pipeline/io/inbox-source.ts'
import { Harness } from '../support/dump.ts'

const AT = 1_900_000_000_000_000
const SIZES = [64, 128, 256].map((kilobytes) => kilobytes * 1024)
/** Erased values: `7` occurs everywhere in some lines and stands alone nowhere. */
const VALUES = ['7', 'b b b b', 'ada@example.org', '"":""', '%2525x']

const repeated = (text: string, size: number) =>
  text.repeat(Math.ceil(size / text.length)).slice(0, size)

/** Lines by their content. */
const LINES: [name: string, make: (size: number) => string][] = [
  ['a brace and spaces', (size) => `{${repeated(' ', size)}`],
  ['a quote and escaped quotes', (size) => `"${repeated('\\"', size)}`],
  ['backslashes', (size) => `"${repeated('\\', size)}`],
  ['percent signs', (size) => repeated('%25', size)],
  ['escapes', (size) => `{"a":"${repeated('\\u005c', size)}`],
  ['a key and spaces', (size) => `{"user_id":${repeated(' ', size)}`],
  ['short values', (size) => repeated('a 7 ', size)],
  ['single characters', (size) => repeated('a a a a a a a b ', size)],
  ['brackets', (size) => repeated('[', size)],
  ['a name and separators', (size) => `user_id${repeated('_-', size)}7`],
]

const definitions = makeDefinitions({ identity: { hashed: ['email'] } })
const rules = definitions.identity
/** Without hashed namespaces a refused line keeps its bytes. With them most of it is redacted, and
 * nothing is left to search. */
const plain = makeDefinitions({})

function decoder(identity = rules): ChunkDecoder {
  const options = { operandPaths: [], format: undefined, events: { events: {} }, hashKey: 'test' }
  return new ChunkDecoder({ identity, ...options })
}

/** Below this, CPU milliseconds are noise. */
const FLOOR_MS = 2
/** Linear work takes a small part of these CPU milliseconds at every size. */
const SLOW_MS = 3_000
/** Four times the bytes take 4 times the CPU if the work is linear, and 16 times if quadratic. */
const RATIO_MAX = 8
const ROUNDS_MIN = 3
/** More rounds follow only while the ratio is too large: another process can disturb some of them. */
const ROUNDS_MAX = 12

type Work = (size: number) => Promise<unknown> | unknown

async function cpuMs(work: Work, size: number): Promise<number> {
  const before = cpuUsage()
  await work(size)
  const { user, system } = cpuUsage(before)
  return (user + system) / 1_000
}

/** Compares the least CPU time of the largest size with that of the smallest. Rounds alternate the
 * sizes, because load on the machine changes over time. */
async function expectLinear(name: string, work: Work) {
  const least = SIZES.map(() => Infinity)
  const ratio = () => (least.at(-1) as number) / Math.max(least[0] as number, FLOOR_MS)
  for (let round = 0; round < ROUNDS_MAX; round++) {
    for (const [n, size] of SIZES.entries()) {
      const cost = await cpuMs(work, size)
      least[n] = Math.min(least[n] as number, cost)
      expect(cost, `CPU milliseconds of ${name}, ${size} bytes`).toBeLessThan(SLOW_MS)
    }
    if (round + 1 >= ROUNDS_MIN && ratio() < RATIO_MAX) break
  }
  console.log(name, least.map((x) => x.toFixed(1)).join(' '), ratio().toFixed(2))
  expect(ratio(), `ratio of the CPU times of ${name}, ${least.join(', ')} ms`).toBeLessThan(
    RATIO_MAX,
  )
}

async function suppressing(harness: Harness): Promise<ErasedPersons> {
  const head = await harness.warehouse.open()
  const erased = await ErasedPersons.load(harness.warehouse, head, rules, 'test')
  erased.add(
    VALUES.map((value) => `user_id:${value}`),
    [],
  )
  return erased
}

test('decoding takes linear time', async () => {
  for (const [name, make] of LINES) {
    await expectLinear(name, (size) => decoder().decode(Buffer.from(make(size)), AT))
  }
})

test('dropping redelivered refused lines takes linear time', async () => {
  const harness = new Harness(definitions)
  const erased = await suppressing(harness)
  for (const [name, make] of LINES) {
    await expectLinear(name, (size) => {
      const batch = decoder(plain.identity).decode(Buffer.from(make(size)), AT)
      return land(harness.warehouse, batch, erased)
    })
  }
})

test('searching dead letters takes linear time', async () => {
  for (const [name, make] of LINES.slice(0, 2)) {
    const bySize = new Map<number, Harness>()
    for (const size of SIZES) {
      const harness = new Harness(plain)
      await harness.feed([make(size)])
      bySize.set(size, harness)
    }
    const erased = await suppressing(bySize.get(SIZES[0] as number) as Harness)
    await expectLinear(name, (size) => lettersOf((bySize.get(size) as Harness).warehouse, erased))
    for (const { warehouse } of bySize.values()) await warehouse.close()
  }
})

test('searching the inbox takes linear time', async () => {
  for (const [name, make] of LINES.slice(0, 2)) {
    const bySize = new Map<number, Harness>()
    for (const size of SIZES) {
      const harness = new Harness(definitions)
      await harness.warehouse.open()
      const message = {
        subscription_name: 's',
        message_id: 'm',
        publish_time: AT,
        data: Buffer.from(make(size)),
        attributes: '{}',
      }
      await harness.warehouse.append('landed_messages', landedTable([message]), AT)
      bySize.set(size, harness)
    }
    const erased = await suppressing(bySize.get(SIZES[0] as number) as Harness)
    await expectLinear(name, (size) =>
      cutMessages((bySize.get(size) as Harness).warehouse, decoder(), erased, AT),
    )
    for (const { warehouse } of bySize.values()) await warehouse.close()
  }
})

test('replacing words of an event by pseudonyms takes linear time', async () => {
  const reader = new IdentifierReader({ ...rules, hashed: [] }, undefined)
  for (const [name, make] of LINES) {
    await expectLinear(name, (size) => {
      const row = {
        event_id: 'x1',
        occurred_at: AT,
        ordinal: 0,
        identifiers: JSON.stringify({ user_id: 'a a a a', email: '"\\"\\"\\' }),
        properties: JSON.stringify({ note: make(size) }),
        context: '{}',
        alias: null,
        unlink: null,
      }
      return pseudonymised([row], ['user_id', 'email'], reader)
    })
  }
})
