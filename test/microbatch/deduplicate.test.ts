/** Deduplication, event by event: new, redelivered, or an id with other content. */

import { describe, expect, test } from 'vitest'
import { ChunkDecoder } from '../../pipeline/decode/decode.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { deadLetterId, land } from '../../pipeline/microbatch/deduplicate.ts'
import { ErasedPersons } from '../../pipeline/microbatch/suppression-list.ts'
import { forget } from '../../pipeline/operations/forget.ts'
import { Harness } from '../support/dump.ts'

const EVENT = {
  event_id: 'e1',
  name: 'A',
  occurred_at: 1_700_000_000_000,
  ordinal: 2,
  source: 'web',
  identifiers: { user_id: 'ada' },
  properties: { n: 1, list: [1, { deep: true }] },
  context: { ip: '::1' },
  alias: ['user_id:ada', 'user_id:a'],
  unlink: ['user_id:ada', 'user_id:b'],
}
type Given = { [member: string]: unknown }
const line = (more: Given = {}) => JSON.stringify({ ...EVENT, ...more })
const other = (id: string, more: Given = {}) =>
  line({ event_id: id, alias: undefined, unlink: undefined, ...more })

const definitions = makeDefinitions({})
const { identity } = definitions

/** Returns what becomes of lines after others have landed: the numbers of the lines that land, and
 * counts. */
async function fate(stored: string[], lines: string[], erase?: string) {
  const { warehouse, ...harness } = await fed(stored)
  if (erase !== undefined) {
    const how = { user: erase, isKept: false, isPlan: false, at: 1_900_000_000_000_000 }
    await forget({ warehouse, definitions, ...how })
  }
  const head = await warehouse.open()
  const parts = { identity, operandPaths: [], format: undefined, events: { events: {} } }
  const decoder = new ChunkDecoder({ ...parts, hashKey: undefined })
  const batch = decoder.decode(new TextEncoder().encode(lines.join('\n')), 1_800_000_000_000_000)
  const erased = await ErasedPersons.load(warehouse, head, identity, undefined)
  const landing = await land(warehouse, batch, erased)
  await harness.close()
  return {
    landed: landing.rows.map((row) => batch.eventId[row]),
    landedRow: [...landing.landedRow],
    duplicates: landing.duplicates,
    erased: landing.erased,
    refusals: landing.refusals.map(({ from, to, reason, detail }) => {
      return [new TextDecoder().decode(batch.raw.subarray(from, to)), reason, detail]
    }),
  }
}

async function fed(lines: string[]) {
  const harness = new Harness(definitions)
  await harness.feed(lines)
  return { warehouse: harness.warehouse, close: () => harness.warehouse.close() }
}

const REUSED = 'event_id: "e1" has landed with other content'

describe('in one batch', () => {
  test('new events land in order, repeated ones are counted, refused lines stay refused', async () => {
    const refused = line({ event_id: 'e9', name: 7 })
    const lines = [other('e2'), line(), refused, other('e2'), other('e3'), line()]
    const { refusals, ...found } = await fate([], lines)
    expect(found).toEqual({
      landed: ['e2', 'e1', 'e3'],
      landedRow: [0, 1, -1, 2, -1],
      duplicates: 2,
      erased: 0,
    })
    expect(refusals).toEqual([[refused, 'invalid_field', expect.stringContaining('name')]])
  })

  test('an id with other content is refused, the first one lands', async () => {
    const changed = line({ name: 'B' })
    expect(await fate([], [line(), changed])).toEqual({
      landed: ['e1'],
      landedRow: [0, -1],
      duplicates: 0,
      erased: 0,
      refusals: [[changed, 'duplicate_event_id', REUSED]],
    })
  })

  test('an id that is refused does not stand for its later repeats', async () => {
    const lines = [line(), line({ name: 'B' }), line({ name: 'B' }), line()]
    expect(await fate([], lines)).toMatchObject({ landed: ['e1'], duplicates: 1 })
  })
})

describe('against stored events', () => {
  test.each<[what: string, more: Given, given: string]>([
    ['order of members', {}, JSON.stringify(Object.fromEntries(Object.entries(EVENT).reverse()))],
    ['spacing', {}, JSON.stringify(EVENT, null, 1).replaceAll('\n', '')],
    ['a number written otherwise', {}, line().replace('"n":1,', '"n":1.0,')],
    ['escapes', {}, line().replace('"ada"', String.raw`"\u0061da"`)],
  ])('an event that differs in %s is a duplicate', async (_, _more, given) => {
    expect(await fate([line()], [given])).toMatchObject({
      landed: [],
      landedRow: [-1],
      duplicates: 1,
      refusals: [],
    })
  })

  test.each<[member: string, value: unknown]>([
    ['name', 'B'],
    ['occurred_at', 1_700_000_000_001],
    ['ordinal', 3],
    ['source', 'ios'],
    ['identifiers', { user_id: 'ada', email: 'a' }],
    ['properties', { n: 2, list: [1, { deep: true }] }],
    ['properties', { n: 1, list: [1, { deep: false }] }],
    ['context', { ip: '::2' }],
    ['context', undefined],
    ['alias', ['user_id:ada', 'user_id:c']],
    ['alias', undefined],
    ['unlink', ['user_id:ada', 'user_id:c']],
    ['unlink', undefined],
  ])('an event with another %s is refused: %j', async (member, value) => {
    const changed = line({ [member]: value })
    const { landed, duplicates, refusals } = await fate([line()], [changed, other('e2')])
    expect({ landed, duplicates }).toEqual({ landed: ['e2'], duplicates: 0 })
    expect(refusals).toEqual([[changed, 'duplicate_event_id', REUSED]])
  })

  test('each line is compared with the stored event of its own id', async () => {
    const stored = [line(), other('e2'), other('e3')]
    const lines = [other('e3'), line({ source: 'ios' }), other('e4'), other('e2', { ordinal: 9 })]
    const { landed, duplicates, refusals } = await fate(stored, lines)
    expect({ landed, duplicates }).toEqual({ landed: ['e4'], duplicates: 1 })
    expect(refusals.map(([, , detail]) => detail)).toEqual([REUSED, REUSED.replace('e1', 'e2')])
  })
})

test('events and refused lines of an erased person are dropped and counted', async () => {
  const refused = [
    line({ event_id: 'e8', name: 7 }),
    other('e9', { name: 7, identifiers: { user_id: 'bob' } }),
  ]
  const lines = [line(), other('e5'), other('e6', { identifiers: { user_id: 'bob' } }), ...refused]
  const { refusals, ...found } = await fate([line()], lines, 'ada')
  expect(found).toEqual({ landed: ['e6'], landedRow: [-1, -1, 0], duplicates: 0, erased: 3 })
  expect(refusals.map(([text]) => text)).toEqual([refused[1]])
})

test('a dead letter is named by its bytes and its reason', () => {
  const bytes = new Uint8Array([0, 200, 65, 66])
  const id = deadLetterId(bytes.subarray(2), 'invalid_json')
  expect(id).toBe(deadLetterId(new TextEncoder().encode('AB'), 'invalid_json'))
  const ids = [id, deadLetterId(bytes, 'invalid_json'), deadLetterId(bytes, 'invalid_utf8')]
  expect(new Set(ids).size).toBe(3)
})
