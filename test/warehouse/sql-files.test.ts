/** Headers and columns of the SQL files, and parameters of shared queries. */

import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { selectedColumns } from '../../pipeline/warehouse/selected-columns.ts'
import { sqlFiles } from '../../pipeline/warehouse/sql-files.ts'
import { readRelations } from '../support/read-relations.ts'

test('every view declares the relations that its text reads', async () => {
  const views = [...sqlFiles('views'), ...sqlFiles('analysis')]
  const declared = views.map(({ name, reads }) => ({ name, reads }))
  const found: typeof declared = []
  for (const { name, text } of views) found.push({ name, reads: await readRelations(text) })
  expect(declared).toEqual(found)
})

/** Engines bind parameters in their own ways, and operations of DuckDB alone may number them. */
const ENGINES = /^pipeline\/(duckdb|bigquery)\//
/** `$1` of a replacement or of a shell. */
const NO_PARAMETER = /replace(All)?\(|\$\{\$/

test('shared queries do not number their parameters, because BigQuery rejects numbers', () => {
  const files = ['pipeline', 'scripts'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`),
  )
  const shared = files.filter((file) => file.endsWith('.ts') && !ENGINES.test(file))
  expect(shared.filter((file) => file.startsWith('scripts/')).length).toBeGreaterThan(50)
  const numbered = shared.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => /\$[1-9]/.test(line) && !NO_PARAMETER.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  )
  expect(numbered).toEqual([])
})

test('columns that several views have are written once, and replace the line that names them', () => {
  const written = (name: string) => readFileSync(`sql/analysis/${name}.sql`, 'utf8')
  const users = (include: string) =>
    sqlFiles('analysis').filter(({ name }) => written(name).includes(`-- Include: ${include}\n`))
  expect(readdirSync('sql/includes')).toEqual(['survival.sql', 'wilson.sql'])
  expect([users('survival').length, users('wilson').length]).toEqual([2, 4])
  for (const { text } of users('wilson')) expect(text).toContain('end as matured_rate_high,')
  for (const { text } of users('survival')) expect(text).toContain('end as share_inside,')
  expect(sqlFiles('analysis').filter(({ text }) => text.includes('Include:'))).toEqual([])
  const repeated = sqlFiles('analysis').filter(({ name }) =>
    /1\.9207294103470627|\(at_risk - left_count\)/.test(written(name)),
  )
  expect(repeated).toEqual([])
})

test.each([
  ['select a, t.b, c as d, from t', ['a', 'b', 'd']],
  ['with x as (select z, y from t) select distinct a -- no, comma\n from x', ['a']],
  ["select coalesce(a, ',', (select b from t)) as c, extract(day from d) as e", ['c', 'e']],
  ["select case when a then 'from, ''x' end as b from t union all select c from t", ['b']],
])('reads the columns of %j', (text, columns) => {
  expect(selectedColumns('view', text)).toEqual(columns)
})

test.each(['select * from t', 'select a, b + 1 from t', 'select a, count(*) from t'])(
  'rejects %j, which does not name its columns',
  (text) => {
    expect(() => selectedColumns('view', text)).toThrow('view.sql names each of its columns')
  },
)
