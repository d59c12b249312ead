/**
 * Compaction: every view returns the same rows as before, currently and as of earlier instants, and
 * an earlier writer can continue. A batch between plan and execution stops it.
 */

import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bigqueryWarehouse } from '../../pipeline/bigquery/warehouse.ts'
import { BigQueryClient, type Place } from '../../pipeline/bigquery/client.ts'
import { compact, compactionPlan } from '../../pipeline/bigquery/compact.ts'
import { EMULATOR_VARIABLE } from '../../pipeline/warehouse-url.ts'
import { loadDefinitions } from '../../pipeline/definition/load.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { TABLES, VERSIONED_NAMES } from '../../pipeline/warehouse/tables.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { Shop } from '../../scripts/sample/shop.ts'
import { Harness, sorted } from '../support/dump.ts'
import type { Row } from '../reference/reference.ts'
import { emptyDataset } from '../../scripts/emulators/empty-dataset.ts'
import { startBigQuery } from '../../scripts/emulators/bigquery-emulator.ts'
import { Proxy, refuse, throughProxy } from './proxy.ts'

const MINUTES = 300_000

const emulator = await startBigQuery()
afterAll(() => emulator?.stop())

/** Late lines, visits split across batches, and at the end an event of the next month. */
const lines = [...new Shop(8).lines(240)]
const APRIL = '2026-04-02T00:00:00Z'
const later =
  `{"event_id":"april","name":"Page Viewed","occurred_at":"${APRIL}","received_at":"${APRIL}",` +
  '"identifiers":{"user_id":"u-1"}}'
const before = [lines.slice(0, 70), lines.slice(70, 140), [...lines.slice(140, 200), later]]
const after = [lines.slice(200)]

async function rowsOf(warehouse: Warehouse, instants: number[]) {
  const rows: { [relation: string]: Row[] } = {}
  for (const table of VERSIONED_NAMES) {
    const { view, versions } = TABLES[table]
    const then = instants.map((instant) => [`${view} ${instant}`, warehouse.asOf(view, instant)])
    for (const [name = '', relation] of [[view, view], [versions, versions], ...then]) {
      rows[name] = sorted((await warehouse.query(`select * from ${relation}`)) as Row[])
    }
  }
  return rows
}

describe.skipIf(emulator === null)('compaction', () => {
  let place: Place
  let client: BigQueryClient

  beforeAll(async () => {
    place = (emulator as NonNullable<typeof emulator>).place('compact')
    await emptyDataset(place)
    client = await BigQueryClient.connect(place)
  }, MINUTES)

  const urlOf = ({ project, dataset }: Place) => `bigquery:${project}.${dataset}`
  /** Runs the command as it is typed. */
  const typed = (...args: string[]) => {
    const { host, restPort, grpcPort } = place.emulator as NonNullable<Place['emulator']>
    const named = ['--warehouse', urlOf(place)]
    const program = ['--import', 'tsx', 'scripts/compact.ts', ...named, ...args]
    const { status, stdout, stderr } = spawnSync(process.execPath, program, {
      encoding: 'utf8',
      env: { ...process.env, [EMULATOR_VARIABLE]: `${host}:${restPort}:${grpcPort}` },
    })
    return { status, lines: stdout.trim().split('\n'), stderr }
  }
  const sizeOf = async (table: string) => {
    const [row] = await client.query('read', `select count(*) as n from ${table}`)
    return row?.['n'] as number
  }

  test('no view changes, and the writer continues', { timeout: MINUTES }, async () => {
    const definitions = await loadDefinitions('definitions')
    const embedded = new Harness(definitions, duckdbWarehouse(':memory:'))
    const remote = new Harness(definitions, bigqueryWarehouse(place))
    for (const batch of before) {
      await embedded.feed(batch)
      await remote.feed(batch)
    }
    const batches = await remote.warehouse.query('select recorded_at from batches order by batch')
    const instants = batches.slice(1, 2).map((row) => row['recorded_at'] as number)
    const rows = await rowsOf(remote.warehouse, instants)
    const stored = await sizeOf('session_base')

    const plan = typed()
    expect(plan).toMatchObject({ status: 0, stderr: '' })
    expect(plan.lines.at(-1)).toBe(
      `nothing has been changed; to do it: npm run compact -- --warehouse ${urlOf(place)} --yes`,
    )
    expect(plan.lines.join('\n')).toMatch(/session .* ended versions of [\s\S]* replaced images of/)
    expect(await sizeOf('session_base')).toBe(stored)

    const done = typed('--yes')
    expect(done).toEqual({ status: 0, stderr: '', lines: plan.lines.slice(0, -1) })
    expect(await sizeOf('session_past')).toBeGreaterThan(10)
    expect((await sizeOf('session_base')) + (await sizeOf('session_past'))).toBe(stored)
    expect(await sizeOf('session_base')).toBe(rows['sessions']?.length)
    const [images] = await client.query(
      'read',
      'select count(*) - count(distinct key) as surplus from identifier_image',
    )
    expect(images).toEqual({ surplus: 0 })
    expect(await rowsOf(remote.warehouse, instants)).toEqual(rows)
    expect(typed('--yes').lines).toEqual(['nothing to archive'])

    remote.restart()
    for (const batch of after) {
      await embedded.feed(batch)
      await remote.feed(batch)
    }
    const ours = await rowsOf(remote.warehouse, instants)
    expect(ours).toEqual(await rowsOf(embedded.warehouse, instants))
    await remote.warehouse.close()
    await embedded.warehouse.close()
  })

  test('a batch after the plan stops it without effect', async () => {
    const definitions = await loadDefinitions('definitions')
    const writer = new Harness(definitions, bigqueryWarehouse(place))
    await writer.pipeline()
    await writer.feed([JSON.stringify({ ...JSON.parse(later), event_id: 'again' })])
    const plan = await compactionPlan(client, place)
    const ended = await sizeOf('identity_ended')
    expect(plan.tables.find(({ table }) => table === 'identity')?.surplus).toBeGreaterThan(0)
    await writer.feed([JSON.stringify({ ...JSON.parse(later), event_id: 'third' })])
    const stopped = compact(client, place, plan, () => undefined)
    await expect(stopped).rejects.toThrow('another writer has committed a batch')
    expect(await sizeOf('identity_ended')).toBe(ended + 1)
    await writer.warehouse.close()
  })

  test('a batch that commits at the same time stops it', async () => {
    const proxy = new Proxy((emulator as NonNullable<typeof emulator>).url)
    const luckless = await BigQueryClient.connect(await throughProxy(place, proxy))
    const plan = await compactionPlan(luckless, place)
    const aborted = 'Transaction is aborted due to concurrent update against table fence'
    proxy.luck = (_request, body, response) =>
      body.includes('commit transaction') && refuse(response, 400, 'invalidQuery', aborted)
    const stopped = compact(luckless, place, plan, () => undefined)
    await expect(stopped).rejects.toThrow(
      /^bigquery:p1\.compact: the compaction stopped at \w+: Transaction is aborted .*rest$/,
    )
    proxy.close()
  })
})
