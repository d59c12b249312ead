/** Every public view and column has a description, where each engine's readers look for it. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { viewStatements } from '../../pipeline/bigquery/schema.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { publicViews } from '../../pipeline/warehouse/public-views.ts'
import { startAnalyzer } from '../support/zetasql.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

const described = [...publicViews().values()]

test('describes each view and column of a DuckDB file', async () => {
  const warehouse = duckdbWarehouse(join(dir, 'described.duckdb'))
  await warehouse.open()
  const views = await warehouse.query(
    `select view_name as name, comment as about from duckdb_views()
     where schema_name = 'main' and not internal order by name`,
  )
  expect(views).toEqual(described.map(({ name, about }) => ({ name, about })))
  const columns = await warehouse.query(
    `select table_name as view, column_name as name, comment as about from duckdb_columns()
     where schema_name = 'main' and not internal order by view, column_index`,
  )
  expect(columns).toEqual(
    described.flatMap((view) => view.columns.map((column) => ({ view: view.name, ...column }))),
  )
  await warehouse.close()
})

test('writes one plain sentence each', () => {
  const texts = described.flatMap(({ about, columns }) => [about, ...columns.map((c) => c.about)])
  for (const text of texts) expect(text).toMatch(/^[^\n]{3,120}[.]$/)
})

const analyzer = await startAnalyzer([])
afterAll(() => analyzer?.stop())

/** The emulator keeps no descriptions of views: what is sent is compared. */
describe('the BigQuery statement of a view', () => {
  const statements = new Map(
    viewStatements((name) => `\`p.d.${name}\``).map((sql) => [sql.split('`')[1], sql]),
  )
  const head = (name: string) => (statements.get(`p.d.${name}`) ?? '').split(' as\n')[0]

  test('describes each view and column', () => {
    for (const { name, about, columns } of described) {
      const list = columns.map(
        (column) => `\`${column.name}\` options (description = ${JSON.stringify(column.about)})`,
      )
      expect(head(name)).toBe(
        `create or replace view \`p.d.${name}\` (${list.join(', ')}) ` +
          `options (description = ${JSON.stringify(about)})`,
      )
    }
  })

  test('marks any other view as internal', () => {
    expect(head('state_now')).toMatch(/ options \(description = "Internal: [^"]+"\)$/)
  })

  test.skipIf(analyzer === null)('is parsed by the analyzer', async () => {
    for (const { name, columns } of described) {
      const values = columns.map((column) => `1 as \`${column.name}\``).join(', ')
      await analyzer?.parse(`${head(name)} as select ${values}`)
    }
  })
})
