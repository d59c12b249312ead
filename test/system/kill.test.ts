/**
 * A run that is killed at any moment and run again gives the tables of an uninterrupted run: every
 * batch is committed once or not at all.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { elapsedMs } from '../../pipeline/base/clock.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { compareWarehouses } from '../../pipeline/query/compare-warehouses.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { Random } from '../../scripts/sample/random.ts'
import { Shop } from '../../scripts/sample/shop.ts'
import { dump } from '../support/dump.ts'
import { isLong } from '../support/long.ts'

const KILLS = Number(process.env['KILLS'] ?? 2)
const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

const lines = [...new Shop(7).lines(12_000)].join('\n')

/** Starts a run over standard input and writes all lines to it. */
function start(database: string) {
  const options = ['--batch-size', '400', '--watermark', '2027-01-01T00:00:00Z']
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'scripts/start.ts', '--warehouse', `duckdb:${database}`, ...options, '-'],
    { stdio: ['pipe', 'ignore', 'pipe'] },
  )
  child.stdin.on('error', () => undefined) // a killed child closes its end
  child.stdin.write(lines)
  const complaints: Buffer[] = []
  child.stderr.on('data', (data: Buffer) => complaints.push(data))
  return { child, complaints }
}

/** Runs to the end and returns the milliseconds it took. */
async function runToEnd(database: string): Promise<number> {
  const startedAt = elapsedMs()
  const { child, complaints } = start(database)
  child.stdin.end()
  const [code] = await once(child, 'exit')
  expect({ code, complaints: code === 0 ? '' : Buffer.concat(complaints).toString() }).toEqual({
    code: 0,
    complaints: '',
  })
  return elapsedMs() - startedAt
}

/** Runs with open input, so that only the kill ends it. */
async function runUntilKilled(database: string, ms: number): Promise<void> {
  const { child } = start(database)
  const timer = setTimeout(() => child.kill('SIGKILL'), ms)
  const [code, signal] = await once(child, 'exit')
  clearTimeout(timer)
  expect({ code, signal }).toEqual({ code: null, signal: 'SIGKILL' })
}

/** Key of rows that occur once, and the batches in which they occur. */
const ONCE = [
  ['event_id', 'events_log'],
  ['event_id', 'event_profile_now'],
  ['session_id', 'session_now'],
  ['batch', 'batches_log'],
] as const

test(`${KILLS} kills leave no trace in the tables`, { timeout: 150_000 }, async () => {
  const random = new Random(11)
  const whole = join(dir, 'whole.duckdb')
  const killed = join(dir, 'killed.duckdb')
  const wholeMs = await runToEnd(whole)
  for (let kill = 0; kill < KILLS; kill++) {
    await runUntilKilled(killed, random.between(0.3 * wholeMs, wholeMs))
  }
  await runToEnd(killed)
  const tables = await Promise.all(
    [killed, whole].map(async (path) => {
      const warehouse = duckdbWarehouse(path)
      await warehouse.open()
      for (const [once, relation] of ONCE) {
        const twice = await warehouse.query(
          `select ${once}, string_agg(recorded_by, ', ' order by recorded_by) as by_batches
           from ${relation} group by all having count(*) > 1`,
        )
        expect({ path, relation, twice }).toEqual({ path, relation, twice: [] })
      }
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

test.runIf(isLong)(
  'a killed bulk load leaves an empty warehouse or all of it',
  async () => {
    const file = join(dir, 'bulk.ndjson')
    writeFileSync(file, `${[...new Shop(8).lines(40_000)].join('\n')}\n`)
    const load = (name: string) => {
      const args = [
        '--import',
        'tsx',
        'scripts/start.ts',
        '--warehouse',
        `duckdb:${join(dir, name)}`,
      ]
      return spawn(process.execPath, [...args, file], { stdio: ['ignore', 'ignore', 'pipe'] })
    }
    const startedAt = elapsedMs()
    const whole = load('bulk-whole.duckdb')
    const [said] = (await once(whole.stderr, 'data')) as [Buffer]
    expect(said.toString()).toMatch(/^bulk load: the warehouse is empty/)
    expect(await once(whole, 'exit')).toEqual([0, null])
    const wholeMs = elapsedMs() - startedAt
    const random = new Random(13)
    for (let kill = 0; kill < KILLS; kill++) {
      const child = load('bulk-killed.duckdb')
      const timer = setTimeout(
        () => child.kill('SIGKILL'),
        random.between(0.4 * wholeMs, 0.9 * wholeMs),
      )
      await once(child, 'exit')
      clearTimeout(timer)
      const warehouse = duckdbWarehouse(join(dir, 'bulk-killed.duckdb'))
      await warehouse.open()
      const [counts] = await warehouse.query(
        `select (select count(*) from batches) as batches, (select count(*) from events) as events,
         (select count(*) from sessions) as sessions`,
      )
      await warehouse.close()
      if (counts?.['batches'] === 0) expect(counts).toEqual({ batches: 0, events: 0, sessions: 0 })
    }
    expect(await once(load('bulk-killed.duckdb'), 'exit')).toEqual([0, null])
    const [left, right] = ['bulk-whole', 'bulk-killed'].map((name) => {
      return duckdbWarehouse(join(dir, `${name}.duckdb`))
    }) as [Warehouse, Warehouse]
    await left.open()
    await right.open()
    for (const comparison of await compareWarehouses(left, right)) {
      expect(comparison).toMatchObject({ differing: 0, differences: [] })
    }
    await left.close()
    await right.close()
  },
  300_000,
)
