/**
 * Effects on the Pub/Sub emulator: every effect and retraction of the outbox arrives, and each
 * first arrival is in order for its instance. Crashes are tested in
 * `test/io/crash-at-each-step.test.ts`.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Message, Subscription } from '@google-cloud/pubsub'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { uuidOf } from '../../pipeline/base/hash.ts'
import type { Row } from '../../pipeline/warehouse/warehouse.ts'
import { Shop } from '../../scripts/sample/shop.ts'
import { PubsubEmulator, pubsubEmulator } from '../../scripts/emulators/pubsub-emulator.ts'
import { hasDone, WorkerProcess } from '../../scripts/emulators/worker-process.ts'

const jar = pubsubEmulator()
const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
const SLOWLY = 300_000
let emulator: PubsubEmulator

const lines = [...new Shop(6).lines(3_000)]

async function ask(database: string, sql: string): Promise<Row[]> {
  const warehouse = duckdbWarehouse(database)
  await warehouse.open()
  const rows = await warehouse.query(sql)
  await warehouse.close()
  return rows
}

/** Returns what arrived by ordering key, without repetitions, once everything wanted has arrived. */
async function received(
  subscription: Subscription,
  wanted: Set<string>,
): Promise<Map<string, string[]>> {
  const byKey = new Map<string, string[]>()
  const missing = new Set(wanted)
  await new Promise<void>((resolve, reject) => {
    subscription.on('error', reject)
    subscription.on('message', (message: Message) => {
      const { effect_id, kind } = message.attributes
      const word = `${kind} ${effect_id}`
      const key = message.orderingKey as string
      const seen = byKey.get(key) ?? []
      byKey.set(key, seen)
      if (!seen.includes(word)) seen.push(word)
      message.ack()
      missing.delete(word)
      if (missing.size === 0) resolve()
    })
  })
  await subscription.close()
  return byKey
}

describe.skipIf(jar === null)('effects', () => {
  beforeAll(async () => {
    emulator = await PubsubEmulator.start(jar as string)
  }, SLOWLY)
  afterAll(async () => {
    await emulator?.stop()
    rmSync(dir, { recursive: true })
  })

  test('all effects of a worker started twice arrive, in order', { timeout: SLOWLY }, async () => {
    const database = join(dir, 'effects.duckdb')
    const events = await emulator.topic()
    const effects = await emulator.topic(true)
    const data = lines.map((line) => Buffer.from(line))
    await Promise.all(data.map((line) => events.topic.publishMessage({ data: line })))
    const args = ['--source', events.url, '--effects', effects.url]
    const run = () =>
      new WorkerProcess(
        [...args, '--warehouse', `duckdb:${database}`, '--batch-size', '150'],
        emulator.env,
      )
    const first = run()
    await first.until(({ batches }) => batches === 4)
    first.kill('SIGTERM')
    expect(await first.end()).toEqual({ code: 0, complaints: '' })
    const second = run()
    await second.until(hasDone(1_500))
    second.kill('SIGTERM')
    expect(await second.end()).toEqual({ code: 0, complaints: '' })

    const outbox = await ask(
      database,
      `select kind, effect_id, instance_id from effects_log where status = 'due'
       order by recorded_by, effect_no`,
    )
    const expected = new Map<string, string[]>()
    for (const { kind, effect_id, instance_id } of outbox) {
      const key = uuidOf(instance_id as string)
      expected.set(key, [...(expected.get(key) ?? []), `${kind} ${effect_id}`])
    }
    expect(outbox.some(({ kind }) => kind === 'retraction')).toBe(true)
    const words = new Set([...expected.values()].flat())
    expect(await received(effects.subscription, words)).toEqual(expected)
  })
})
