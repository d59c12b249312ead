/** `npm run export`: the three formats hold the view, and what cannot be written is named. */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, expect, test } from 'vitest'
import { duckdbWarehouse } from '../pipeline/duckdb.ts'
import { exportView, publicViews } from '../pipeline/export.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))
const path = join(dir, 'w.duckdb')

function run(script: string, args: string[], input = '') {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', `scripts/${script}.ts`, '--warehouse', `duckdb:${path}`, ...args],
    { encoding: 'utf8', input },
  )
  return { status, stdout, stderr: stderr.trim() }
}

/** More than one chunk of rows. */
const COUNT = 2_500
const LINES = Array.from({ length: COUNT }, (_, i) =>
  JSON.stringify({
    event_id: `e${String(i).padStart(5, '0')}`,
    name: 'Product Added',
    occurred_at: 1_772_359_200_000 + i,
    identifiers: { user_id: `ü${i}` },
  }),
)

test('parquet, csv and arrow hold every row of the view', async () => {
  expect(run('start', ['-'], LINES.join('\n'))).toMatchObject({ status: 0 })
  const out = (ending: string) => join(dir, `it's.${ending}`)
  for (const ending of ['parquet', 'csv', 'arrow']) {
    const { status, stdout } = run('export', ['--table', 'states', '--out', out(ending)])
    const said = `${COUNT * 2} rows → ${out(ending)}\n`
    expect({ status, stdout }).toEqual({ status: 0, stdout: said })
  }
  const warehouse = duckdbWarehouse(path)
  await warehouse.open()
  const order = 'order by state_id'
  const stored = await warehouse.query(`select * from states ${order}`)
  const quoted = out('parquet').replaceAll("'", "''")
  expect(await warehouse.query(`select * from '${quoted}' ${order}`)).toEqual(stored)
  const table = tableFromIPC(readFileSync(out('arrow')))
  const micros = (value: unknown) => (value === null ? null : Math.round(Number(value) * 1_000))
  const rows = table.toArray().map((row) => {
    const plain = (row as { toJSON(): { [column: string]: unknown } }).toJSON()
    for (const name of ['version', 'instance_no', 'visit']) plain[name] = Number(plain[name])
    for (const name of ['entered_at', 'exited_at']) plain[name] = micros(plain[name])
    return plain
  })
  rows.sort((a, b) => (String(a['state_id']) < String(b['state_id']) ? -1 : 1))
  expect(rows).toEqual(stored)
  expect(readFileSync(out('csv'), 'utf8').split('\n')).toHaveLength(COUNT * 2 + 2)
  for (const view of publicViews()) {
    await exportView(warehouse, view, join(dir, 'each.arrow'))
    const { numCols } = tableFromIPC(readFileSync(join(dir, 'each.arrow')))
    expect(numCols).toBeGreaterThan(0)
  }
  await warehouse.close()
})

test('private tables, unknown endings and missing folders are refused', () => {
  const table = run('export', ['--table', 'state_base', '--out', join(dir, 'x.csv')])
  expect(table).toMatchObject({ status: 2 })
  expect(table.stderr).toContain('--table state_base is no public view; there is: batches')
  const ending = run('export', ['--table', 'states', '--out', join(dir, 'x.xls')])
  expect(ending.stderr).toContain('ends in no known format: use .parquet, .csv, .arrow')
  const nowhere = join(dir, 'none', 'x.parquet')
  expect(run('export', ['--table', 'states', '--out', nowhere])).toMatchObject({ status: 1 })
  expect(existsSync(nowhere)).toBe(false)
})
