/** Bulk loads into a warehouse that has events, compared with one micro-batch of the same lines. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { funnelled } from '../support/arbitraries-funnel.ts'
import { arrivals, eventStream, identity, sessions } from '../support/arbitraries.ts'
import { Harness, lineOf } from '../support/dump.ts'
import { runsOf } from '../support/long.ts'

const RUNS = runsOf('LAW_RUNS', 5, 80)
const LATER = 3_600_000_000
/** Columns that depend on the clock, or on the order in which parts are written. */
const ASIDE = ['recorded_at', 'superseded_at', 'received_at', 'effect_no']

/** Returns the rows of all stored tables, superseded versions and state included. */
async function storedRows(warehouse: Warehouse): Promise<{ [table: string]: string[] }> {
  const tables = await warehouse.query(
    `select schema_name || '.' || table_name as name from duckdb_tables()
     where database_name = current_database() and not temporary order by name`,
  )
  const rows: { [table: string]: string[] } = {}
  for (const { name } of tables) {
    const found = await warehouse.query(`select * from ${name as string}`)
    const texts = found.map((row) => {
      return JSON.stringify(Object.entries(row).filter(([column]) => !ASIDE.includes(column)))
    })
    rows[name as string] = texts.sort()
  }
  return rows
}

test('derives events together that only stored events connect', async () => {
  const definitions = makeDefinitions({})
  const lineAt = (minute: number, device: string, more = '') =>
    `{"event_id":"${device}-${minute}","name":"Go","occurred_at":"2026-03-01T10:0${minute}:00Z",` +
    `"identifiers":{"anonymous_id":"${device}"${more}}}`
  const devices = ['d1', 'd2', 'd3', 'd4', 'd5', 'd6']
  const stored = devices.map((device) => lineAt(5, device, ',"user_id":"u1"'))
  const late = devices.map((device) => lineAt(1, device))
  const [batch, load] = [new Harness(definitions), new Harness(definitions)]
  for (const harness of [batch, load]) await harness.feed(stored)
  await batch.feed(late)
  const sizes: number[] = []
  await load.load([late], null, { partEvents: 1, onPart: (done) => sizes.push(done) })
  expect(sizes).toEqual([6])
  expect(await storedRows(load.warehouse)).toEqual(await storedRows(batch.warehouse))
  for (const { warehouse } of [batch, load]) await warehouse.close()
})

const scene = fc.record({ events: eventStream, identity, sessions, ...funnelled }).chain((parts) =>
  fc.record({
    parts: fc.constant(parts),
    batches: arrivals(parts.events),
    partEvents: fc.integer({ min: 1, max: 9 }),
    isLater: fc.boolean(),
  }),
)

test('a backfill writes the rows, versions, effects and state of one micro-batch', async () => {
  await fc.assert(
    fc.asyncProperty(scene, async ({ parts, batches, partEvents, isLater }) => {
      const definitions = makeDefinitions({ ...parts, journeys: [parts.journey] })
      const [stored = [], ...chunks] = batches.map((batch) => batch.map(lineOf))
      const watermark = Math.max(...parts.events.map((event) => event.occurred_at)) + LATER
      const asked = isLater ? watermark : null
      const [batch, load] = [new Harness(definitions), new Harness(definitions)]
      for (const harness of [batch, load]) await harness.feed(stored)
      const outcome = await batch.feed(chunks.flat(), asked)
      expect(await load.load(chunks, asked, { partEvents })).toEqual(outcome)
      expect(await storedRows(load.warehouse)).toEqual(await storedRows(batch.warehouse))
      for (const { warehouse } of [batch, load]) await warehouse.close()
    }),
    {
      numRuns: RUNS,
      ...(process.env['LAW_SEED'] ? { seed: Number(process.env['LAW_SEED']) } : {}),
    },
  )
}, 300_000)
