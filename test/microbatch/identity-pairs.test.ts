/** Links of a batch by pair. */

import { expect, test } from 'vitest'
import { compile } from '../../pipeline/definition/compile.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { imagesFor } from '../../pipeline/microbatch/codec/profile-codec.ts'
import { sayingsOf } from '../../pipeline/microbatch/identity-pairs.ts'
import { MicroBatch } from '../../pipeline/microbatch/micro-batch.ts'
import { dump, Harness } from '../support/dump.ts'

const PAIRS = 3_000

const nothing = {
  images: () => Promise.resolve(new Map()),
  segments: () => Promise.resolve(new Map()),
  due: () => Promise.resolve([]),
  outbox: () => Promise.resolve(new Map()),
}

test('finds the links of thousands of pairs, some of which share an identifier', () => {
  const compiled = compile(makeDefinitions({}))
  const images = imagesFor(compiled, { state: nothing, max: 1, isEmpty: true })
  const watermarks = { watermarkBefore: null, watermark: null }
  const parts = { compiled, images, state: nothing, warehouse: nothing, ...watermarks }
  const batch = new MicroBatch(parts)
  const [first, second] = compiled.identity.person as [string, string]
  const pairs = Array.from({ length: PAIRS }, (_, i) => [
    `${first}:${i % 100}`,
    `${second}:${Math.floor(i / 2)}`,
  ])
  for (const [i, identifiers] of [...pairs, ...pairs].entries()) {
    const at = { eventId: `e${i}`, occurredAt: i, ordinal: 0 }
    batch.events.add({ ...at, name: 'n', source: 's', identifiers })
  }
  const rows = Array.from({ length: 2 * PAIRS }, (_, row) => row)
  const sayings = sayingsOf(batch, rows, [])
  expect(sayings.map(({ kept, refused, links }) => [kept, refused, links])).toEqual(
    pairs.map(([kept, refused], i) => [kept, refused, [i, PAIRS + i]]),
  )
})

test('pairs of a large component keep their links and unlinks when linked again', async () => {
  const definitions = makeDefinitions({})
  const event = (id: string, minute: number, identifiers: object, more = {}) =>
    JSON.stringify({
      event_id: id,
      name: 'n',
      occurred_at: 1_772_359_200_000 + minute * 60_000,
      identifiers,
      ...more,
    })
  const both = (i: number) => ({ user_id: 'u', email: `e${i}` })
  const links = Array.from({ length: 100 }, (_, i) => event(`link ${i}`, i, both(i)))
  const unlinks = links.map((_, i) =>
    event(`unlink ${i}`, 200 + i, both(0), { unlink: ['user_id:u', `email:e${i}`] }),
  )
  const again = links.map((_, i) => event(`again ${i}`, i % 2 === 0 ? 150 : 400, both(i)))
  const alone = links.map((_, i) => event(`alone ${i}`, 500 + i, { email: `e${i}` }))
  const [inParts, atOnce] = [new Harness(definitions), new Harness(definitions)]
  for (const lines of [links, unlinks, again, alone]) await inParts.feed(lines)
  await atOnce.feed([...links, ...unlinks, ...again, ...alone])
  expect(await dump(inParts.warehouse)).toEqual(await dump(atOnce.warehouse))
  // Even emails were linked again before their unlink only, except that of the unlinks themselves.
  const owners = await inParts.warehouse.query('select distinct profile_id from event_profiles')
  expect(owners).toHaveLength(50)
  await inParts.warehouse.close()
  await atOnce.warehouse.close()
})
