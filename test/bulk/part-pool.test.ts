/** Parts of a history in several threads. */

import { expect, test } from 'vitest'
import type { Part } from '../../pipeline/bulk/derive-part.ts'
import { startPartPool } from '../../pipeline/bulk/part-pool.ts'
import { loadDefinitions, makeDefinitions } from '../../pipeline/definition/load.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { Shop } from '../../scripts/sample/shop.ts'
import { Harness } from '../support/dump.ts'

test.each([
  ['an empty warehouse', 0],
  ['a warehouse with events', 400],
])('several threads write the rows and state of one, in the same order, into %s', async (_, n) => {
  const definitions = await loadDefinitions('definitions')
  const lines = [...new Shop(5).lines(1_300)]
  const chunks = [lines.slice(n, n + 400), lines.slice(n + 400)]
  const all: unknown[] = []
  for (const threads of [1, 3]) {
    const harness = new Harness(definitions, duckdbWarehouse(':memory:'))
    if (n > 0) await harness.feed(lines.slice(0, n))
    const outcome = await harness.load(chunks, null, { partEvents: 150, threads })
    expect(outcome.effects).toBeGreaterThan(20)
    const { warehouse } = harness
    const numbers = await warehouse.query('select effect_no from effects_log order by effect_no')
    expect(numbers.map((row) => row['effect_no'])).toEqual(numbers.map((_, i) => i + 1))
    const tables = await warehouse.query(
      `select schema_name || '.' || table_name as name from duckdb_tables()
       where database_name = current_database() and not temporary order by name`,
    )
    expect(tables.length).toBeGreaterThan(20)
    const rows: { [table: string]: unknown } = {}
    for (const { name } of tables) {
      rows[name as string] = await warehouse.query(`select * from ${name as string}`)
    }
    all.push(rows)
    await warehouse.close()
  }
  expect(all[1]).toEqual(all[0])
})

test('a worker that dies fails its part with its error', async () => {
  const settings = { definitions: makeDefinitions({}), state: [], hasEffects: true }
  const pool = startPartPool(settings, 2)
  const part = { events: null, owners: null, watermark: null } as unknown as Part
  const derived = pool.derived([{ part, label: 'broken', events: 1 }])
  await expect(derived.next()).rejects.toThrow(/not iterable/)
  await pool.close()
})
