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
import { programOf } from '../support/program.ts'

const KILLS = Number(process.env['KILLS'] ?? 2)
const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

const [LINES, BATCH] = isLong ? [12_000, 400] : [4_000, 200]
const lines = [...new Shop(7).lines(LINES)].join('\n')

/** Starts a run over standard input and writes all lines to it. */
function start(database: string, input = lines) {
  const options = ['--batch-size', String(BATCH), '--watermark', '2027-01-01T00:00:00Z']
  const child = spawn(
    process.execPath,
    programOf('start', '--warehouse', `duckdb:${database}`, ...options, '-'),
    { stdio: ['pipe', 'ignore', 'pipe'] },
  )
  child.stdin.on('error', () => undefined) // a killed child closes its end
  child.stdin.write(input)
  const complaints: Buffer[] = []
  child.stderr.on('data', (data: Buffer) => complaints.push(data))
  return { child, complaints }
}

/** Runs to the end and returns the milliseconds it took. */
async function runToEnd(database: string, input = lines): Promise<number> {
  const startedAt = elapsedMs()
  const { child, complaints } = start(database, input)
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

test(`${KILLS} kills leave no trace in the tables`, async () => {
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

test.runIf(isLong).each([
  ['an empty warehouse', 0],
  ['a warehouse with events', 10_000],
])(
  'a killed bulk load into %s leaves it as it was, or writes everything',
  async (_, stored) => {
    const lines = [...new Shop(8).lines(40_000 + stored)]
    const file = join(dir, 'bulk.ndjson')
    writeFileSync(file, `${lines.slice(stored).join('\n')}\n`)
    for (const name of ['bulk-whole.duckdb', 'bulk-killed.duckdb']) {
      rmSync(join(dir, name), { force: true })
      rmSync(join(dir, `${name}.state`), { recursive: true, force: true })
      if (stored > 0) await runToEnd(join(dir, name), lines.slice(0, stored).join('\n'))
    }
    const load = (name: string) => {
      const args = programOf('start', '--warehouse', `duckdb:${join(dir, name)}`, file)
      return spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    }
    const startedAt = elapsedMs()
    const whole = load('bulk-whole.duckdb')
    const [said] = (await once(whole.stderr, 'data')) as [Buffer]
    expect(said.toString()).toMatch(/^bulk load: /)
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
        `select (select count(*) from batches where origin like '%bulk.ndjson') as loads,
           (select count(*) from batches) as batches, (select max(recorded_by) from session_base) as by_batch,
           (select count(*) from events) as events`,
      )
      await warehouse.close()
      if (counts?.['loads'] !== 0) continue
      const { batches, events, by_batch } = counts ?? {}
      expect(events === 0).toBe(stored === 0)
      expect(by_batch ?? 0).toBe(batches)
    }
    const [last] = await once(load('bulk-killed.duckdb'), 'exit')
    expect(last).toBe(0)
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
