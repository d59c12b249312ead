/**
 * Replay, promotion and rollback over the wire: BigQuery shows what DuckDB does after the same
 * commands, version by version, and what a warehouse shows that never knew another definition.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bigqueryWarehouse } from '../../pipeline/bigquery.ts'
import { makeDefinitions, type Definitions, type Release } from '../../pipeline/definitions.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb.ts'
import type { Journey } from '../../pipeline/journey.ts'
import { rebuild, type Rebuild, type Scratch } from '../../pipeline/rebuild.ts'
import { versionStatuses } from '../../pipeline/release-status.ts'
import { TABLES, VERSIONED_NAMES } from '../../pipeline/tables.ts'
import type { Warehouse } from '../../pipeline/warehouse.ts'
import { Shop } from '../../scripts/shop.ts'
import { dump, Harness, sorted } from '../dump.ts'
import type { Row } from '../reference.ts'
import { emptyDataset } from './datasets.ts'
import { startBigQuery, type Emulator } from './bigquery-emulator.ts'

const MINUTES = 300_000
const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
const emulator = await startBigQuery()
afterAll(async () => {
  rmSync(dir, { recursive: true })
  await emulator?.stop()
})

const buying = (version: number, patience: string): Journey => ({
  id: 'buying',
  version,
  initial: 'looking',
  startOn: ['Product Viewed'],
  states: {
    looking: { on: { 'Product Added': 'cart' } },
    cart: {
      on: {
        'Product Removed': 'looking',
        'Order Completed': { target: 'bought', guard: { property: 'value', gte: version * 10 } },
      },
      after: { [patience]: 'cold' },
    },
    cold: { on: { 'Product Added': 'cart' } },
    bought: { type: 'final' },
  },
  restart: true,
  funnels: { purchase: { steps: ['looking', 'cart', 'bought'], within: '3d' } },
})
const old = makeDefinitions({ journeys: [buying(1, '24h')] })
const young = makeDefinitions({ journeys: [buying(2, '2h')] })
const lines = [...new Shop(5).lines(900)]
const [early, late] = [lines.slice(0, 600), lines.slice(600)]

let scratches = 0
function scratch(): Scratch {
  const path = join(dir, `${(scratches += 1)}.duckdb`)
  return {
    warehouse: () => duckdbWarehouse(path),
    discard: () => Promise.resolve(rmSync(path, { force: true })),
  }
}

async function step(harness: Harness, to: Definitions, action: Rebuild['action']) {
  const { definitions } = await harness.pipeline()
  const rebuilt = await rebuild({
    warehouse: harness.warehouse,
    scratch: scratch(),
    definitions,
    release: to.releases.find(({ kind }) => kind === 'journey') as Release,
    action,
    by: 'test',
    reason: 'to see',
    mayChangeLive: true,
  })
  harness.restart()
  return rebuilt
}

/** Every version of every row; instants of the clock differ and are left out. */
async function versions(warehouse: Warehouse): Promise<{ [view: string]: Row[] }> {
  const views: { [view: string]: Row[] } = {}
  for (const table of VERSIONED_NAMES) {
    const { versions: view } = TABLES[table]
    const rows = (await warehouse.query(`select * from ${view}`)) as Row[]
    views[view] = sorted(rows.map((row) => ({ ...row, recorded_at: 0, superseded_at: 0 })))
  }
  return views
}

describe.skipIf(emulator === null)('over the wire', () => {
  const place = (emulator as Emulator)?.place('release')
  let embedded: Harness
  let remote: Harness

  beforeAll(async () => {
    await emptyDataset(place)
    embedded = new Harness(old, duckdbWarehouse(join(dir, 'embedded.duckdb')))
    remote = new Harness(old, bigqueryWarehouse(place))
    for (const harness of [embedded, remote]) await harness.feed(early)
  }, MINUTES)
  afterAll(async () => {
    await embedded.warehouse.close()
    await remote.warehouse.close()
  })

  /** Both warehouses do the same and come out the same. */
  const both = async (work: (harness: Harness) => Promise<unknown>) => {
    const told = [await work(embedded), await work(remote)]
    expect(told[1]).toEqual(told[0])
    const found = [await versions(embedded.warehouse), await versions(remote.warehouse)]
    for (const view of Object.keys(found[0] ?? {})) {
      expect({ view, rows: found[1]?.[view] }).toEqual({ view, rows: found[0]?.[view] })
    }
    expect(await dump(remote.warehouse)).toEqual(await dump(embedded.warehouse))
    const statuses = await versionStatuses(remote.warehouse)
    expect(statuses).toEqual(await versionStatuses(embedded.warehouse))
    return told[0]
  }

  test('a version is built, promoted, run on, and rolled back as in DuckDB', async () => {
    const nothing = { inserted: 0, superseded: 0, isDone: false }
    expect(await both((harness) => step(harness, old, 'replayed'))).toMatchObject(nothing)
    const before = await dump(remote.warehouse)
    expect(await both((harness) => step(harness, young, 'replayed'))).toMatchObject({
      superseded: 0,
      isDone: true,
    })
    expect(await dump(remote.warehouse)).toEqual(before)
    expect(await both((harness) => step(harness, young, 'promoted'))).toMatchObject({
      inserted: 0,
      superseded: 0,
      isDone: true,
    })
    const promoted = await dump(remote.warehouse)
    expect(promoted).not.toEqual(before)
    await both((harness) => step(harness, old, 'rolled_back'))
    expect(await dump(remote.warehouse)).toEqual(before)
    await both((harness) => step(harness, young, 'promoted'))
    expect(await dump(remote.warehouse)).toEqual(promoted)
    await both((harness) => harness.feed(late))
    const never = new Harness(young)
    await never.feed(early)
    await never.feed(late)
    expect(await dump(remote.warehouse)).toEqual(await dump(never.warehouse))
    await never.warehouse.close()
    await both((harness) => step(harness, old, 'rolled_back'))
  }, MINUTES)
})
