/**
 * One text, two engines: on random histories, the analysis views and the checks return the same
 * rows on DuckDB and on the reference evaluator of BigQuery's dialect. It finds silent differences,
 * such as the order of nulls, empty counts, and the text of JSON.
 */

import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { analysisViews } from '../../pipeline/warehouse/analysis-views.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { TABLES, VERSIONED_NAMES } from '../../pipeline/warehouse/tables.ts'
import type { Row, Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { funnelled } from '../support/arbitraries-funnel.ts'
import { arrivals, eventStream, identity } from '../support/arbitraries.ts'
import { Harness, lineOf, sorted } from '../support/dump.ts'
import { runsOf } from '../support/long.ts'
import type { Row as JsonRow } from '../reference/reference.ts'
import { startAnalyzer } from '../support/zetasql.ts'

const RUNS = runsOf('DIALECT_RUNS', 3, 15)
/** Generates a hundred thousand numbers, which is slow in the evaluator; it runs once. */
const SLOW = 'calendar'

const analyzer = await startAnalyzer()
afterAll(() => analyzer?.stop())

const scene = fc
  .record({ events: eventStream, identity, ...funnelled })
  .chain((parts) => fc.record({ parts: fc.constant(parts), batches: arrivals(parts.events) }))

const inOrder = (rows: Row[]) => sorted(rows as JsonRow[])

/** Relations that the texts read. Rows that one view reads from another come from DuckDB. */
const GIVEN = new Set([
  ...VERSIONED_NAMES.flatMap((table) => [TABLES[table].view, TABLES[table].versions]),
  ...analysisViews().flatMap(({ reads }) => reads),
  'effects',
])

async function relationsOf(warehouse: Warehouse): Promise<{ [relation: string]: Row[] }> {
  const relations: { [relation: string]: Row[] } = {}
  for (const name of GIVEN) relations[name] = await warehouse.query(`select * from ${name}`)
  return relations
}

describe.skipIf(analyzer === null)('the reference evaluator', () => {
  test('returns the rows that DuckDB returns', async () => {
    for (const file of readdirSync('sql/views')) {
      await analyzer?.addView(file.replace('.sql', ''), readFileSync(`sql/views/${file}`, 'utf8'))
    }
    for (const { name, text } of analysisViews()) await analyzer?.addView(name, text)
    let runs = 0
    await fc.assert(
      fc.asyncProperty(scene, async ({ parts, batches }) => {
        const harness = new Harness(makeDefinitions({ ...parts, journeys: [parts.journey] }))
        for (const batch of batches) await harness.feed(batch.map(lineOf))
        const relations = await relationsOf(harness.warehouse)
        const isFirst = runs++ === 0
        for (const { name, text } of analysisViews()) {
          if (name === SLOW && !isFirst) continue
          const duckdb = inOrder(await harness.warehouse.query(`select * from ${name}`))
          const bigquery = inOrder((await analyzer?.rowsOf(text, relations)) ?? [])
          expect({ name, rows: bigquery }).toEqual({ name, rows: duckdb })
        }
        for (const check of readdirSync('sql/checks')) {
          const text = readFileSync(`sql/checks/${check}`, 'utf8')
          const rows = await analyzer?.rowsOf(text, relations)
          expect({ check, rows }).toEqual({ check, rows: [] })
        }
        await harness.warehouse.close()
      }),
      { numRuns: RUNS },
    )
  })
})
