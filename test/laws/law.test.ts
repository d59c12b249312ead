/**
 * The law: current tables are a function of the accepted events, the definitions and the watermark.
 * Whatever the batches, arrival order, redeliveries and restarts, with or without bulk loads before or
 * between them, overlapping commits and a state store, and whatever happens to that store between
 * runs, they equal what the slow reference computes from the same events at once.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { failedChecks } from '../../pipeline/warehouse/integrity-checks.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { funnelled } from '../support/arbitraries-funnel.ts'
import { arrivals, eventStream, identity, sessions } from '../support/arbitraries.ts'
import { dump, Harness, lineOf, sorted } from '../support/dump.ts'
import { expectOutbox } from '../support/outbox.ts'
import { emptyWarehouse } from '../support/reused-warehouse.ts'
import { DAMAGES, damageState } from '../support/damaged-state.ts'
import { reference, VIEWS } from '../reference/reference.ts'
import { runsOf } from '../support/long.ts'

const RUNS = runsOf('LAW_RUNS', 8, 80)
/** Takes half a minute on an idle machine. */
const TIME_MAX_MS = 300_000
/** Longer than any timeout of the random journeys. */
const LATER = 3_600_000_000

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))
let runs = 0

const scene = fc
  .record({
    events: eventStream,
    identity,
    sessions,
    ...funnelled,
    watermark: fc.constantFrom(0, LATER),
  })
  .chain((parts) =>
    fc.record({
      parts: fc.constant(parts),
      batches: arrivals(parts.events),
      restarts: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
      state: fc.option(fc.array(fc.constantFrom(...DAMAGES), { minLength: 1, maxLength: 5 })),
      waits: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
      imagesMax: fc.constantFrom(1, 3, 4_000),
      loads: fc.array(
        fc.record({
          first: fc.integer({ min: 0, max: 4 }),
          chunks: fc.integer({ min: 1, max: 5 }),
          partEvents: fc.integer({ min: 1, max: 9 }),
          inMemory: fc.integer({ min: 1, max: 20 }),
        }),
        { maxLength: 2 },
      ),
    }),
  )

test(
  'batches, order, redelivery, restarts and state do not affect the tables',
  async () => {
    await fc.assert(
      fc.asyncProperty(scene, async ({ parts, batches, loads, ...given }) => {
        const { restarts, waits, imagesMax, state } = given
        const definitions = makeDefinitions({ ...parts, journeys: [parts.journey] })
        const stateDir = state === null ? undefined : join(dir, `${(runs += 1)}.state`)
        const harness = new Harness(definitions, emptyWarehouse(), imagesMax, stateDir)
        const watermark = Math.max(...parts.events.map((e) => e.occurred_at)) + parts.watermark
        let last = Promise.resolve()
        let loaded = 0
        for (const [i, batch] of batches.entries()) {
          if (i < loaded) continue
          if (restarts[i % restarts.length]) {
            await last
            const damage = state?.[i % state.length] ?? 'none'
            harness.restart(damage === 'closed')
            if (stateDir !== undefined) damageState(stateDir, damage, i)
          }
          const load = loads.find(({ first }) => first === i)
          if (load !== undefined) {
            const chunks = batches.slice(i, i + load.chunks).map((chunk) => chunk.map(lineOf))
            loaded = i + chunks.length
            await last
            await harness.load(chunks, loaded === batches.length ? watermark : null, load)
            continue
          }
          const isLast = i === batches.length - 1
          const begun = await harness.begin(batch.map(lineOf), isLast ? watermark : null)
          last = begun.committed
          if (waits[i % waits.length]) await last
        }
        await last
        const accepted = await acceptedEvents(harness)
        const trimmed = parts.events
          .map((event) => ({ ...event, identifiers: trimmedValues(event.identifiers) }))
          .filter((event) => accepted.has(event.event_id))
        const expected = reference(trimmed, definitions, watermark)
        const actual = await dump(harness.warehouse)
        for (const view of VIEWS) {
          expect({ view, rows: actual[view] }).toEqual({ view, rows: sorted(expected[view] ?? []) })
        }
        await expectOutbox(harness.warehouse, expected['effects'] ?? [])
        expect((await failedChecks(harness.warehouse)).failed).toEqual([])
        await harness.warehouse.close()
      }),
      {
        numRuns: RUNS,
        ...(process.env['LAW_SEED'] ? { seed: Number(process.env['LAW_SEED']) } : {}),
      },
    )
  },
  TIME_MAX_MS,
)

async function acceptedEvents(harness: Harness): Promise<Set<unknown>> {
  const rows = await harness.warehouse.query('select event_id from events')
  return new Set(rows.map((row) => row['event_id']))
}

function trimmedValues(identifiers: { [namespace: string]: string }) {
  return Object.fromEntries(Object.entries(identifiers).map(([n, value]) => [n, value.trim()]))
}
