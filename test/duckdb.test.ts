/** The embedded warehouse keeps the contract, and says plainly why it cannot be opened. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { duckdbWarehouse } from '../pipeline/duckdb.ts'
import { DuckDBFile } from '../pipeline/duckdb-file.ts'
import { batchOf } from './batches.ts'
import { warehouseContract } from './warehouse.contract.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

let files = 0

warehouseContract('DuckDB', () => {
  const path = join(dir, `${(files += 1)}.duckdb`)
  const warehouse = duckdbWarehouse(path)
  const reopen = async () => {
    await warehouse.close()
    return duckdbWarehouse(path)
  }
  return Promise.resolve({ warehouse, reopen })
})

test('a long reading sees what was there when it began, whatever is committed', async () => {
  const warehouse = duckdbWarehouse(join(dir, 'read.duckdb'))
  await warehouse.open()
  const ids = Array.from({ length: 10_000 }, (_, i) => `e${i}`)
  await warehouse.commit(batchOf(1, ids))
  let read = 0
  let batch = 1
  for await (const rows of warehouse.stream('select event_id from event_profiles')) {
    read += rows.length
    await warehouse.commit(batchOf((batch += 1), [`later ${batch}`]))
  }
  expect(batch).toBeGreaterThan(3)
  expect(read).toBe(ids.length)
  await warehouse.close()
})

test.each(['text.duckdb', 'events.ndjson', 'table.csv'])('%s is no warehouse', async (name) => {
  const path = join(dir, name)
  writeFileSync(path, '{"a":1}\n'.repeat(10_000))
  await expect(duckdbWarehouse(path).open()).rejects.toThrow(`${path} is not a DuckDB file`)
})

test("a database of somebody else's is named and left as it was", async () => {
  const path = join(dir, 'other.duckdb')
  const other = await DuckDBFile.open(path, '100MB')
  await other.run('create table events (order_id integer)')
  other.close()
  await expect(duckdbWarehouse(path).open()).rejects.toThrow(
    `${path} holds something else by the names of our tables`,
  )
  const again = await DuckDBFile.open(path, '100MB')
  expect(await again.query('select table_name from duckdb_tables()')).toEqual([
    { table_name: 'events' },
  ])
  again.close()
})

test('a directory that is not there is named', async () => {
  const path = join(dir, 'nowhere', 'x.duckdb')
  await expect(duckdbWarehouse(path).open()).rejects.toThrow(`${path} cannot be opened`)
})

test('a locked file tells who has it', async () => {
  const path = join(dir, 'locked.duckdb')
  const script = `
    const { DuckDBInstance } = await import('@duckdb/node-api')
    const held = await DuckDBInstance.create(${JSON.stringify(path)})
    await held.connect()
    process.stdout.write('open')
    process.stdin.resume()
  `
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script])
  try {
    await once(holder.stdout, 'data')
    await expect(duckdbWarehouse(path).open()).rejects.toThrow(
      `${path} is locked: process ${holder.pid} has it open`,
    )
  } finally {
    holder.kill()
    await once(holder, 'exit')
  }
})
