/**
 * A run that is killed at any moment and run again ends in the tables of a run that was not: every
 * batch is there once or not at all.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { duckdbWarehouse } from '../pipeline/duckdb.ts'
import { Random } from '../scripts/random.ts'
import { Shop } from '../scripts/shop.ts'
import { dump } from './dump.ts'

const KILLS = Number(process.env['KILLS'] ?? 8)
const RUNS_MAX = 4 * KILLS
const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

const file = join(dir, 'events.ndjson')
writeFileSync(file, [...new Shop(7).lines(12_000)].join('\n'))

function start(database: string) {
  return spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      'scripts/start.ts',
      '--batch-size',
      '400',
      '--warehouse',
      `duckdb:${database}`,
      '--watermark',
      '2027-01-01T00:00:00Z',
      file,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
}

/** Runs to the end, or for so many milliseconds; true when it ended by itself. */
async function runFor(database: string, ms: number): Promise<boolean> {
  const child = start(database)
  const complaints: Buffer[] = []
  child.stderr.on('data', (data: Buffer) => complaints.push(data))
  const timer = setTimeout(() => child.kill('SIGKILL'), ms)
  const [code] = await once(child, 'exit')
  clearTimeout(timer)
  if (code !== 0 && code !== null) throw new Error(Buffer.concat(complaints).toString())
  return code === 0
}

test(`${KILLS} kills leave no trace in the tables`, { timeout: 150_000 }, async () => {
  const random = new Random(11)
  const killed = join(dir, 'killed.duckdb')
  let kills = 0
  for (let runs = 0; kills < KILLS && runs < RUNS_MAX; runs++) {
    if (!(await runFor(killed, random.between(1_200, 3_200)))) kills += 1
  }
  expect(kills).toBe(KILLS)
  expect(await runFor(killed, 120_000)).toBe(true)
  const whole = join(dir, 'whole.duckdb')
  expect(await runFor(whole, 120_000)).toBe(true)
  const tables = await Promise.all(
    [killed, whole].map(async (path) => {
      const warehouse = duckdbWarehouse(path)
      await warehouse.open()
      const events = await warehouse.query('select event_id from events order by event_id')
      const letters = await warehouse.query('select dead_letter_id from dead_letters order by 1')
      const found = { ...(await dump(warehouse)), events, letters }
      await warehouse.close()
      return found
    }),
  )
  for (const view of Object.keys(tables[0] ?? {}) as 'events'[]) {
    expect({ view, rows: tables[0]?.[view] }).toEqual({ view, rows: tables[1]?.[view] })
  }
})
