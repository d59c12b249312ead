/**
 * Cost of a tick in BigQuery: jobs, table references (each is billed at least 10 MiB) and staged
 * bytes. The costs in `pipeline/bigquery/COST.md` are computed from these counts.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { bigqueryWarehouse } from '../../pipeline/bigquery/warehouse.ts'
import { now } from '../../pipeline/base/clock.ts'
import { openEngine } from '../../pipeline/runtime.ts'
import { landedSource, landedTable } from '../../pipeline/io/inbox-source.ts'
import { run } from '../../pipeline/run.ts'
import { Shop } from '../../scripts/sample/shop.ts'
import { startBigQuery } from '../../scripts/emulators/bigquery-emulator.ts'
import { Proxy, throughProxy } from './proxy.ts'

const EVENTS = 1_000

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
const emulator = await startBigQuery()
const proxy = new Proxy(emulator?.url ?? '')
afterAll(async () => {
  proxy.close()
  await emulator?.stop()
  rmSync(dir, { recursive: true, force: true })
})

/** Returns the texts of the jobs since the last call. */
function asked(): string[] {
  return proxy.bodies.splice(0).flatMap((body) => {
    const { query } = (body === '' ? {} : JSON.parse(body)).configuration?.query ?? {}
    return typeof query === 'string' ? [query] : []
  })
}

/** Counts the tables that are read or changed, per statement of a script. */
function references(text: string): number {
  const statements = text.split(';\n').map((statement) => {
    const names = statement.matchAll(/\b(?:from|join|update) `?([a-z][\w.-]*)/g)
    return new Set([...names].map(([, name]) => name)).size
  })
  return statements.reduce((sum, count) => sum + count, 0)
}

describe.skipIf(emulator === null)('a tick', () => {
  test('runs a dozen jobs on fifty tables; with a state store, it looks up three things', async () => {
    const place = emulator?.place('cost') ?? { project: '', dataset: '' }
    const warehouse = bigqueryWarehouse(await throughProxy(place, proxy))
    await warehouse.open()
    const settings = { definitionsDir: 'definitions', format: undefined, effects: undefined }
    const engine = await openEngine(warehouse, settings, {})
    const tick = (by = engine) => {
      const source = landedSource(warehouse, AbortSignal.timeout(120_000))
      return run({ ...by, source, warehouseUrl: warehouse.url, watermark: null })
    }
    const land = async (lines: string[], first: number) => {
      const messages = lines.map((line, i) => ({
        subscription_name: 'events',
        message_id: String(first + i),
        publish_time: now() - 60_000_000,
        data: Buffer.from(line),
        attributes: '{}',
      }))
      await warehouse.append('landed_messages', landedTable(messages), now())
    }
    const lines = [...new Shop(1).lines(3 * EVENTS)]
    await land(lines.slice(0, EVENTS), 0)
    await tick()
    await land(lines.slice(EVENTS, 2 * EVENTS), EVENTS)
    asked()
    const report = await tick()
    const jobs = asked()
    const tables = jobs.map(references).reduce((sum, count) => sum + count, 0)
    const [staged] = await warehouse.query(
      `select sum(length(content)) as bytes from staged where stage like '2_%'`,
    )
    const bytes = Math.round(Number(staged?.['bytes']) / report.landed)
    console.log(`a tick: ${jobs.length} jobs, ${tables} tables, ${bytes} bytes staged per event`)
    expect(report.batches).toBe(1)
    expect(jobs.filter((text) => text.includes('commit transaction'))).toHaveLength(1)
    expect(jobs.length).toBeLessThanOrEqual(12)
    expect(tables).toBeLessThanOrEqual(50)
    expect(bytes).toBeLessThan(2_500)
    asked()
    await tick()
    expect(asked()).toEqual([])
    await engine.close()
    const worker = await openEngine(warehouse, { ...settings, stateDir: dir }, {})
    await land(lines.slice(2 * EVENTS), 2 * EVENTS)
    asked()
    const { landed } = await tick(worker)
    const lookups = asked().flatMap((text) => {
      return (
        /^select .*?\bfrom (\w+_image|history|timer|events_log|effects_log)\b/s.exec(text)?.[1] ??
        []
      )
    })
    // Repeated ids, timers, and effects that a correction may send or retract.
    expect(lookups).toEqual(['events_log', 'timer', 'effects_log'])
    expect(landed).toBeGreaterThan(EVENTS / 2)
    await worker.close()
    await warehouse.close()
  })
})
