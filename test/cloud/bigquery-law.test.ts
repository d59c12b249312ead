/**
 * The same random batches in DuckDB and in BigQuery give the same rows of every public view,
 * currently and as of every instant; and replays follow their laws.
 */

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { analysisViews } from '../../pipeline/warehouse/analysis-views.ts'
import { bigqueryWarehouse } from '../../pipeline/bigquery/warehouse.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { believed } from '../../pipeline/query/as-of.ts'
import { sqlFiles } from '../../pipeline/warehouse/sql-files.ts'
import { asOfTexts } from '../../pipeline/warehouse/view-sql.ts'
import { TABLES, VERSIONED_NAMES } from '../../pipeline/warehouse/tables.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { funnel } from '../support/arbitraries-funnel.ts'
import { arrivals, eventStream, identity, journey } from '../support/arbitraries.ts'
import { Harness, lineOf, sorted } from '../support/dump.ts'
import { replayLaws } from '../laws/replay.laws.ts'
import type { Row } from '../reference/reference.ts'
import { emptyDataset } from '../../scripts/emulators/empty-dataset.ts'
import { startBigQuery } from '../../scripts/emulators/bigquery-emulator.ts'

const RUNS = Number(process.env['CLOUD_RUNS'] ?? 3)
const MINUTES = 600_000

const emulator = await startBigQuery()
afterAll(() => emulator?.stop())

const scene = fc
  .record({
    events: eventStream,
    identity,
    journey,
    funnels: fc
      .array(funnel, { minLength: 1, maxLength: 1 })
      .map((list) => list.map((one, i) => ({ ...one, id: `f${i}` }))),
  })
  .chain((parts) => fc.record({ parts: fc.constant(parts), batches: arrivals(parts.events) }))

const CURRENT = [
  ...sqlFiles('views').map(({ name }) => name),
  ...VERSIONED_NAMES.map((table) => TABLES[table].versions),
  ...analysisViews().map(({ name }) => name),
]
const AS_OF = asOfTexts((name) => name).map(({ name }) => name.slice(0, -'_as_of'.length))

async function rowsOf(warehouse: Warehouse, view: string, asOf: number | null): Promise<Row[]> {
  const relation = believed(warehouse, view, asOf)
  return sorted((await warehouse.query(`select * from ${relation}`)) as Row[])
}

describe.skipIf(emulator === null)('laws on the BigQuery emulator', () => {
  beforeAll(() => emulator && emptyDataset(emulator.place('law')), MINUTES)

  test(
    'the same events give the same rows in both warehouses',
    async () => {
      if (emulator === null) return
      const place = emulator.place('law')
      await fc.assert(
        fc.asyncProperty(scene, async ({ parts, batches }) => {
          await emptyDataset(place)
          const definitions = makeDefinitions({ ...parts, journeys: [parts.journey] })
          const embedded = new Harness(definitions, duckdbWarehouse(':memory:'))
          const remote = new Harness(definitions, bigqueryWarehouse(place))
          for (const batch of batches) {
            const lines = batch.map(lineOf)
            expect(await remote.feed(lines)).toEqual(await embedded.feed(lines))
            remote.restart()
          }
          const recorded = await embedded.warehouse.query('select recorded_at from batches')
          const instant = recorded[Math.floor(recorded.length / 2)]?.['recorded_at'] as number
          const relations = [
            ...CURRENT.map((view) => ({ view, asOf: null })),
            ...AS_OF.map((view) => ({ view, asOf: instant })),
          ]
          for (const { view, asOf } of relations) {
            const expected = await rowsOf(embedded.warehouse, view, asOf)
            const rows = await rowsOf(remote.warehouse, view, asOf)
            expect({ view, asOf, rows }).toEqual({ view, asOf, rows: expected })
          }
          await remote.warehouse.close()
          await embedded.warehouse.close()
        }),
        { numRuns: RUNS },
      )
    },
    MINUTES,
  )
  const make = async () => {
    if (emulator === null) throw new Error('the emulator is not running')
    await emptyDataset(emulator.place('law'))
    return bigqueryWarehouse(emulator.place('law'))
  }
  replayLaws('BigQuery', make, { numRuns: Math.ceil(RUNS / 3) })
})
