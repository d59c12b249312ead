/**
 * Laws of replay for every warehouse, on random people and journeys: a window builds exactly the
 * profiles in it, and a full replay under other rules gives the tables of those rules.
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { identity, sessions } from '../support/arbitraries.ts'
import { dump, Harness } from '../support/dump.ts'
import {
  believed,
  believedWithin,
  expectSame,
  feed,
  LATER,
  read,
  replayAll,
  scene,
  shownBy,
  step,
} from '../support/releasing.ts'

const TIME_MAX_MS = 600_000

async function acceptedBy({ warehouse }: Harness): Promise<Set<unknown>> {
  const rows = await warehouse.query('select event_id from events')
  return new Set(rows.map((row) => row['event_id']))
}

/** `make` returns a new warehouse. */
export function replayLaws(
  name: string,
  make: () => Promise<Warehouse>,
  options: { numRuns: number },
): void {
  describe(`${name} keeps the laws of replay`, () => {
    test(
      'a window builds the profiles with an event in it, from their first event',
      async () => {
        await fc.assert(
          fc.asyncProperty(scene, async (given) => {
            const { old, young, before, watermark } = read(given)
            const harness = new Harness(old, await make())
            await feed(harness, before, watermark)
            const times = before.flat().map((event) => event.occurred_at)
            const [, from = null, , to = null] = times.sort((a, b) => a - b)
            const within = { from, to }
            await step(harness, young, 'replayed', { within })
            const shown = await believed(harness)
            await step(harness, young, 'replayed')
            expect(shown).toEqual(await believedWithin(harness, within))
            const again = await step(harness, young, 'replayed', { within })
            expect(again).toMatchObject({ inserted: 0, superseded: 0 })
            await harness.warehouse.close()
          }),
          options,
        )
      },
      TIME_MAX_MS,
    )

    test(
      'a replay under another identity and sessions gives the tables of those rules',
      async () => {
        await fc.assert(
          fc.asyncProperty(scene, identity, sessions, async (given, people, visits) => {
            const { old, before, after, watermark } = read(given)
            const harness = new Harness(old, await make())
            await feed(harness, before, watermark)
            const accepted = await acceptedBy(harness)
            const { recordedAt } = await harness.warehouse.open()
            const shown = await dump(harness.warehouse)
            const { journeys, funnels } = old
            const next = makeDefinitions({ identity: people, sessions: visits, journeys, funnels })
            await replayAll(harness, next)
            const landed = before.map((batch) =>
              batch.filter((event) => accepted.has(event.event_id)),
            )
            expectSame(await dump(harness.warehouse), await shownBy(next, [[landed, watermark]]))
            expectSame(await dump(harness.warehouse, recordedAt), shown)
            expect(await replayAll(harness, next)).toMatchObject({ isDone: false })
            const onward = new Harness(next, harness.warehouse)
            await feed(onward, after, watermark + LATER)
            const both = await acceptedBy(onward)
            const lots = [landed, after].map((batches) =>
              batches.map((batch) => batch.filter((event) => both.has(event.event_id))),
            )
            const expected = await shownBy(next, [[lots.flat(), watermark + LATER]])
            expectSame(await dump(harness.warehouse), expected)
            await harness.warehouse.close()
          }),
          options,
        )
      },
      TIME_MAX_MS,
    )
  })
}
