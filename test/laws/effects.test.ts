/** Effects of current transitions: the outbox of one batch equals the reference. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { reference } from '../reference/reference.ts'
import { eventStream, identity, journey, sessions } from '../support/arbitraries.ts'
import { Harness, lineOf } from '../support/dump.ts'
import { expectOutboxOfOneBatch } from '../support/outbox.ts'
import { runsOf } from '../support/long.ts'

const RUNS = runsOf('LAW_RUNS', 20, 80)
/** Some effects expire within this time. */
const LATER = 5_400_000_000

test('writes the effects of all transitions of a batch, and marks the expired ones', async () => {
  let effects = 0
  await fc.assert(
    fc.asyncProperty(
      fc.record({ events: eventStream, identity, sessions, journey, later: fc.nat(LATER) }),
      async ({ events, journey: one, later, ...settings }) => {
        const definitions = makeDefinitions({ ...settings, journeys: [one] })
        const harness = new Harness(definitions)
        const watermark = Math.max(...events.map((event) => event.occurred_at)) + later
        await harness.feed(events.map(lineOf), watermark)
        const landed = await harness.warehouse.query('select event_id from events')
        const accepted = new Set(landed.map((row) => row['event_id']))
        const trimmed = events
          .filter(({ event_id }) => accepted.has(event_id))
          .map((event) => ({
            ...event,
            identifiers: Object.fromEntries(
              Object.entries(event.identifiers).map(([name, value]) => [name, value.trim()]),
            ),
          }))
        const believed = reference(trimmed, definitions, watermark)['effects'] ?? []
        effects += believed.length
        await expectOutboxOfOneBatch(harness.warehouse, believed, watermark)
        await harness.warehouse.close()
      },
    ),
    { numRuns: RUNS },
  )
  expect(effects).toBeGreaterThan(0)
})
