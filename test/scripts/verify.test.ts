/** `npm run verify`: tables are equal after random histories and differ after tampering. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { watch } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { compareWarehouses } from '../../pipeline/query/compare-warehouses.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { definitionsOnRecord } from '../../pipeline/query/as-of.ts'
import { replayEverything } from '../../pipeline/operations/replay-all.ts'
import { funnel } from '../support/arbitraries-funnel.ts'
import { arrivals, eventStream, identity, journey, sessions } from '../support/arbitraries.ts'
import { startCommands } from '../support/commands.ts'
import { Harness, lineOf } from '../support/dump.ts'
import { runsOf } from '../support/long.ts'
import { emptyWarehouse } from '../support/reused-warehouse.ts'
import { programOf } from '../support/program.ts'

const LATER = 3_600_000_000

const scene = fc
  .record({
    events: eventStream,
    identity: fc
      .tuple(identity, fc.boolean())
      .map(([one, isHashed]) => (isHashed ? { ...one, hashed: one.person ?? ['email'] } : one)),
    sessions,
    journey,
    funnels: fc
      .array(funnel, { maxLength: 1 })
      .map((list) => list.map((one) => ({ ...one, id: 'f' }))),
    later: fc.constantFrom(0, LATER),
  })
  .chain((parts) => fc.record({ parts: fc.constant(parts), batches: arrivals(parts.events) }))

test('the tables of random histories equal those derived again', async () => {
  let compared = 0
  await fc.assert(
    fc.asyncProperty(scene, async ({ parts, batches }) => {
      const harness = new Harness(makeDefinitions({ ...parts, journeys: [parts.journey] }))
      for (const batch of batches) await harness.feed(batch.map(lineOf))
      const last = Math.max(...parts.events.map((event) => event.occurred_at))
      await harness.feed([], last + parts.later)
      const scratch = emptyWarehouse()
      await scratch.open()
      const { warehouse } = harness
      const definitions = await definitionsOnRecord(warehouse)
      await replayEverything({ warehouse, scratch, definitions })
      for (const comparison of await compareWarehouses(harness.warehouse, scratch)) {
        expect(comparison).toMatchObject({ differing: 0, differences: [] })
        expect(comparison.hashes[0]).toBe(comparison.hashes[1])
        compared += comparison.rows[0]
      }
      await scratch.close()
      await harness.warehouse.close()
    }),
    { numRuns: runsOf('VERIFY_RUNS', 5, 12) },
  )
  expect(compared).toBeGreaterThan(0)
})

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

const run = startCommands()

const LINES = ['10:00', '10:05', '10:10']
  .map((at, i) =>
    JSON.stringify({
      event_id: `e${i}`,
      name: 'Product Added',
      occurred_at: `2026-03-01T${at}:00Z`,
      identifiers: { user_id: `u${i}` },
    }),
  )
  .join('\n')

test('finds planted differences, from the events and from another warehouse', async () => {
  const [one, two] = ['one', 'two'].map((name) => join(dir, `${name}.duckdb`)) as [string, string]
  const feed = (path: string, ...more: string[]) =>
    run('start', ['--warehouse', `duckdb:${path}`, ...more, '-'], LINES)
  await feed(one)
  await feed(two, '--batch-size', '1')
  const verify = (...more: string[]) => run('verify', ['--warehouse', `duckdb:${one}`, ...more])
  expect(await verify()).toMatchObject({ status: 0, stderr: '' })
  expect(await verify('--against', `duckdb:${two}`)).toMatchObject({ status: 0, stderr: '' })
  const tampered = duckdbWarehouse(one)
  await tampered.open()
  await tampered.query("update session_base set event_count = 7 where session_id = 'e1'")
  await tampered.query("delete from transition_base where event_id = 'e2' and cause = 'event'")
  await tampered.close()
  const found = await verify()
  expect(found).toMatchObject({ status: 1, stderr: 'error: 2 of 10 views differ' })
  expect(found.stdout).toContain('event_count is 7 stored, 1 recomputed')
  expect(found.stdout).toMatch(/only recomputed: .*"event_id":"e2"/)
  const between = await verify('--against', `duckdb:${two}`, '--json')
  expect(between.status).toBe(1)
  const views = between.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object)
  expect(views).toContainEqual(expect.objectContaining({ view: 'sessions', differing: 1 }))
})

test('reports different watermarks, with the command that advances the earlier', async () => {
  const url = `duckdb:${join(dir, 'ahead.duckdb')}`
  await run('start', ['--warehouse', url, '--watermark', '2026-04-01T00:00:00Z', '-'], LINES)
  const two = `duckdb:${join(dir, 'two.duckdb')}`
  const { status, stderr } = await run('verify', ['--warehouse', url, '--against', two])
  expect(status).toBe(1)
  expect(stderr).toContain('the watermarks differ (2026-04-01T00:00:00')
  expect(stderr).toMatch(/npm start -- --watermark 2026-04-01T\S+ --warehouse \S+two\.duckdb$/)
  expect(await run('verify', ['--warehouse', url, '--against', url])).toMatchObject({ status: 2 })
})

test('Ctrl-C removes the scratch warehouse', async () => {
  const url = `duckdb:${join(dir, 'stopped.duckdb')}`
  await run('start', ['--warehouse', url, '-'], LINES)
  const temporary = join(dir, 'temporary')
  mkdirSync(temporary)
  const seen = watch(temporary, { recursive: true })
  const program = programOf('verify', '--warehouse', url)
  const env = { ...process.env, TMPDIR: temporary }
  const child = spawn(process.execPath, program, { env, stdio: 'ignore' })
  const ended = once(child, 'exit')
  for await (const { filename } of seen) if (filename?.endsWith('scratch.duckdb')) break
  child.kill('SIGINT')
  expect(await ended).toEqual([130, null])
  expect(readdirSync(temporary).filter((name) => name.startsWith('desire-path-'))).toEqual([])
})
