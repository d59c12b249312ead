/**
 * The deployed package, wired as the plan does: messages are published to a topic, Pub/Sub pushes
 * them to one function, a tick calls another, and rows and effects come out.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Message } from '@google-cloud/pubsub'
import { afterAll, describe, expect, test } from 'vitest'
import { bigqueryWarehouse } from '../../pipeline/bigquery/warehouse.ts'
import { EMULATOR_VARIABLE } from '../../pipeline/warehouse-url.ts'
import { FunctionsProcess, packageInto } from '../support/functions-process.ts'
import { startBigQuery } from '../../scripts/emulators/bigquery-emulator.ts'
import {
  PubsubEmulator,
  pubsubEmulator,
  type Subscribed,
} from '../../scripts/emulators/pubsub-emulator.ts'

const jar = pubsubEmulator()
const bigquery = await startBigQuery()
const isThere = jar !== null && bigquery !== null
const pubsub = isThere ? await PubsubEmulator.start(jar) : null
const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
const running: FunctionsProcess[] = []

afterAll(async () => {
  for (const functions of running) await functions.stop()
  await pubsub?.stop()
  await bigquery?.stop()
  rmSync(dir, { recursive: true })
})

/** A cart, and another person's visit more than a day later, when the cart is abandoned. */
const EVENTS = [
  ['u1', 'Product Viewed', '2026-03-02T10:00:00Z'],
  ['u1', 'Product Added', '2026-03-02T10:01:00Z'],
  ['u2', 'Product Viewed', '2026-03-03T16:00:00Z'],
].map(([user_id, name, occurred_at], i) =>
  JSON.stringify({
    event_id: `e${i}`,
    name,
    occurred_at,
    identifiers: { user_id },
    properties: { price: 20 },
  }),
)
const TICKS_MAX = 100
/** Takes half a minute on an idle machine. */
const TIME_MAX_MS = 300_000

type Counts = { read: number; landed: number; duplicates: number; refused: number }

/** Sends ticks until so many events have been read. */
async function tickUntil(url: string, read: number): Promise<Counts> {
  const sum = { read: 0, landed: 0, duplicates: 0, refused: 0 }
  for (let ticks = 0; sum.read < read; ticks++) {
    if (ticks === TICKS_MAX) throw new Error(`${sum.read} of ${read} events were read`)
    const answer = await fetch(url, { method: 'POST' })
    if (answer.status !== 200) throw new Error(await answer.text())
    const counts = (await answer.json()) as Counts
    for (const name of Object.keys(sum) as (keyof Counts)[]) sum[name] += counts[name]
  }
  return sum
}

describe.skipIf(!isThere)('the deployed folder', () => {
  const place = bigquery?.place('deployed') ?? { project: '', dataset: '' }
  const { host, restPort, grpcPort } = place.emulator ?? {}

  async function serve(target: string, effects: Subscribed): Promise<FunctionsProcess> {
    const functions = await FunctionsProcess.start(join(dir, 'functions'), target, {
      ...pubsub?.env,
      DESIRE_PATH_WAREHOUSE: `bigquery:${place.project}.${place.dataset}`,
      DESIRE_PATH_EFFECTS: effects.url,
      [EMULATOR_VARIABLE]: `${host}:${restPort}:${grpcPort}`,
    })
    running.push(functions)
    return functions
  }

  test(
    'stores published messages, applies them at a tick, and sends effects',
    { timeout: TIME_MAX_MS },
    async () => {
      packageInto(join(dir, 'functions'))
      const { topic } = await (pubsub as PubsubEmulator).topic()
      const effects = await (pubsub as PubsubEmulator).topic(true)
      const [ingest, advance] = [await serve('ingest', effects), await serve('advance', effects)]
      // The schema exists before any message arrives, as after the plan.
      const warehouse = bigqueryWarehouse(place)
      await warehouse.open()
      await topic.createSubscription('push', {
        pushEndpoint: `${ingest.url}/${topic.name}`,
        ackDeadlineSeconds: 180,
      })
      const effect = new Promise<Message>((resolve) => effects.subscription.on('message', resolve))
      await topic.publishMessage({ data: gzipSync(EVENTS.join('\n')), attributes: { a: 'b' } })
      await topic.publishMessage({ data: Buffer.from(`[${EVENTS[0]}]`) })
      await topic.publishMessage({ attributes: { only: 'attributes' } })
      const read = EVENTS.length + 2
      expect(await tickUntil(advance.url, read)).toEqual({
        read,
        landed: EVENTS.length,
        duplicates: 1,
        refused: 1,
      })
      const rows = await warehouse.query(
        `select profile_id, state from states where journey = 'checkout' order by 1, entered_at`,
      )
      await warehouse.close()
      expect(rows.map(({ profile_id, state }) => `${profile_id} ${state}`)).toEqual([
        'user_id:u1 browsing',
        'user_id:u1 cart',
        'user_id:u1 abandoned',
        'user_id:u2 browsing',
      ])
      const sent = await effect
      sent.ack()
      await effects.subscription.close()
      expect(sent.attributes).toMatchObject({ kind: 'effect', type: 'cart_reminder' })
    },
  )
})
