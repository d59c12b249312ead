/** What is deployed, run as it is deployed: a message goes in at one function, rows come out. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { bigqueryWarehouse } from '../../pipeline/bigquery.ts'
import { formatInstant, now } from '../../pipeline/clock.ts'
import { EMULATOR_VARIABLE } from '../../pipeline/config.ts'
import { FunctionsProcess, packageInto } from '../functions-process.ts'
import { startBigQuery } from './bigquery-emulator.ts'

const emulator = await startBigQuery()
const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
const running: FunctionsProcess[] = []

afterAll(async () => {
  for (const functions of running) await functions.stop()
  await emulator?.stop()
  rmSync(dir, { recursive: true })
})

const EVENTS = ['Product Viewed', 'Product Added', 'Checkout Started'].map((name, i) => ({
  event_id: `e${i}`,
  name,
  occurred_at: `2026-03-02T10:0${i}:00Z`,
  identifiers: { user_id: 'u1' },
  properties: { product_id: 'lamp', price: 20, value: 20, quantity: 1, cart_id: 'c1' },
}))

/** A message is looked for as long after this as it may be delivered again. */
const publishTime = formatInstant(now() - 60_000_000)

/** As a push subscription sends it to the endpoint that the plan gives it. */
function push(url: string, messageId: string, data: Buffer): Promise<Response> {
  const message = { data: data.toString('base64'), attributes: {}, messageId, publishTime }
  return fetch(`${url}/projects/shop/topics/journeys-events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message, subscription: 'projects/shop/subscriptions/journeys-push' }),
  })
}

describe.skipIf(emulator === null)('the deployed folder', () => {
  const place = emulator?.place('deployed') ?? { project: '', dataset: '' }
  const { host, restPort, grpcPort } = place.emulator ?? {}
  const env = {
    DESIRE_PATH_WAREHOUSE: `bigquery:${place.project}.${place.dataset}`,
    [EMULATOR_VARIABLE]: `${host}:${restPort}:${grpcPort}`,
    METADATA_SERVER_DETECTION: 'none',
  }

  async function serve(target: string): Promise<FunctionsProcess> {
    const functions = await FunctionsProcess.start(join(dir, 'functions'), target, env)
    running.push(functions)
    return functions
  }

  test('lands a message, applies it at a tick, and a journey is in BigQuery', async () => {
    packageInto(join(dir, 'functions'))
    const [ingest, advance] = [await serve('ingest'), await serve('advance')]
    const data = gzipSync(EVENTS.map((event) => JSON.stringify(event)).join('\n'))
    expect((await push(ingest.url, '1', data)).status).toBe(204)
    expect((await push(ingest.url, '1', data)).status).toBe(204)
    const tick = await fetch(advance.url, { method: 'POST' })
    expect([tick.status, await tick.json()]).toEqual([
      200,
      { batches: 1, read: 6, landed: 3, duplicates: 3, refused: 0 },
    ])
    const warehouse = bigqueryWarehouse(place)
    await warehouse.open()
    const rows = await warehouse.query(
      "select state from states where journey = 'checkout' order by entered_at",
    )
    await warehouse.close()
    expect(rows.map(({ state }) => state)).toEqual(['browsing', 'cart', 'checkout'])
  })
})
