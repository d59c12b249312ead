/** `npm run export`: the rows that are read back from each format equal those of the view. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { formatInstant } from '../../pipeline/base/clock.ts'
import { loadDefinitions } from '../../pipeline/definition/load.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import type { Row } from '../../pipeline/warehouse/warehouse.ts'
import { Shop } from '../../scripts/sample/shop.ts'
import { startCommands } from '../support/commands.ts'
import { Harness } from '../support/dump.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
const path = join(dir, 'shop.duckdb')
afterAll(() => rmSync(dir, { recursive: true }))

let transitions: Row[] = []

beforeAll(async () => {
  const harness = new Harness(await loadDefinitions('definitions'), duckdbWarehouse(path))
  await harness.feed([...new Shop(3).lines(3_000)])
  transitions = await harness.warehouse.query('select * from transitions order by transition_id')
  await harness.warehouse.close()
})

const run = startCommands()

function exported(table: string, out: string) {
  const args = ['--warehouse', `duckdb:${path}`, '--table', table, '--out', join(dir, out)]
  return run('export', args)
}

const byId = (a: Row, b: Row) => (String(a['transition_id']) < String(b['transition_id']) ? -1 : 1)

test('an Arrow file has the rows with their types', async () => {
  const { stdout } = await exported('transitions', 't.arrow')
  expect(stdout).toContain(`: ${transitions.length} rows`)
  const table = tableFromIPC(readFileSync(join(dir, 't.arrow')))
  const rows = table.toArray().map((row) => {
    const plain: Row = {}
    for (const [name, value] of row) {
      plain[name] = typeof value === 'bigint' ? Number(value) : value
    }
    // Arrow's reader returns instants in milliseconds.
    return { ...plain, occurred_at: Math.round((plain['occurred_at'] as number) * 1_000) }
  })
  expect(rows.sort(byId)).toEqual(transitions)
})

test('an NDJSON file has instants as text', async () => {
  await exported('transitions', 't.ndjson')
  const rows = readFileSync(join(dir, 't.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
  const expected = transitions.map((row) => ({
    ...row,
    occurred_at: formatInstant(row['occurred_at'] as number),
  }))
  expect(rows.sort(byId)).toEqual(expected)
})

test.each(['parquet', 'csv'])('DuckDB reads the rows back from %s', async (format) => {
  await exported('transitions', `t.${format}`)
  const warehouse = duckdbWarehouse(':memory:')
  await warehouse.open()
  const rows = await warehouse.query(
    `select transition_id, journey, seq, occurred_at from '${join(dir, `t.${format}`)}'
     order by transition_id`,
  )
  await warehouse.close()
  expect(rows).toEqual(
    transitions.map(({ transition_id, journey, seq, occurred_at }) => ({
      transition_id,
      journey,
      seq,
      occurred_at,
    })),
  )
})

test('refuses internal tables and unknown formats, and leaves no file', async () => {
  const hidden = await exported('transition_base', 'h.csv')
  expect(hidden.status).toBe(2)
  expect(hidden.stderr).toContain('"transition_base" is not a public view: ')
  const misspelt = await exported('transitons', 'h.csv')
  expect(misspelt.stderr).toContain(`view: did you mean 'transitions'? choose one of`)
  expect(await exported('transitions', 't.xlsx')).toMatchObject({ status: 2 })
  expect(existsSync(join(dir, 'h.csv'))).toBe(false)
})
