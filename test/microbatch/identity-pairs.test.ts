/** Links of a batch by pair. */

import { expect, test } from 'vitest'
import { compile } from '../../pipeline/definition/compile.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { imagesFor } from '../../pipeline/microbatch/codec/profile-codec.ts'
import { sayingsOf } from '../../pipeline/microbatch/identity-pairs.ts'
import { MicroBatch } from '../../pipeline/microbatch/micro-batch.ts'

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
