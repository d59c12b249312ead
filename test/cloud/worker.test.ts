/**
 * At least once in, exactly once out: whatever the subscription and the worker go through, the
 * tables are those of an embedded run over the same events, row for row.
 */

import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { v1, type Topic } from '@google-cloud/pubsub'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { elapsedMs } from '../../pipeline/clock.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb.ts'
import { Random } from '../../scripts/random.ts'
import { Shop } from '../../scripts/shop.ts'
import { dump } from '../dump.ts'
import { Line } from './line.ts'
import { PubsubEmulator, pubsubEmulator } from './pubsub-emulator.ts'
import { hasDone, WorkerProcess } from './worker-process.ts'

type ClientOptions = ConstructorParameters<typeof v1.SubscriberClient>[0]

/** Off unless asked for: see the emulator's ways with killed readers below. */
const KILLS = Number(process.env['KILLS_OVER_PUBSUB'] ?? 0)
/** The emulator gives messages to a killed reader until it notices, each time for 20 s. */
const SLOWLY = 300_000
const slowly = { timeout: SLOWLY }
const jar = pubsubEmulator()
const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
let emulator: PubsubEmulator

const lines = [...new Shop(5).lines(2_000)]

/** Lines as messages of every form: alone, as arrays, as NDJSON, packed, over several lines. */
function messagesOf(all: readonly string[], random: Random): Buffer[] {
  const messages: Buffer[] = []
  for (let from = 0; from < all.length;) {
    const count = random.chance(0.5) ? 1 : random.between(2, 12)
    const part = all.slice(from, (from += count))
    const asList = part.every(isObject) && random.chance(0.5)
    const text = asList ? `[${part.join(',\n')}]` : part.join('\n')
    messages.push(random.chance(0.3) ? gzipSync(text) : Buffer.from(text))
  }
  return messages
}

function isObject(line: string): boolean {
  try {
    return typeof JSON.parse(line) === 'object'
  } catch {
    return false
  }
}

async function publish(topic: Topic, messages: readonly Buffer[]): Promise<void> {
  await Promise.all(messages.map((data) => topic.publishMessage({ data })))
}

/** The same lines through a file. */
async function embedded(all: readonly string[], database: string): Promise<void> {
  const path = `${database}.ndjson`
  writeFileSync(path, all.join('\n'))
  const args = ['--import', 'tsx', 'scripts/start.ts', '--warehouse', `duckdb:${database}`, path]
  const [code] = await once(spawn(process.execPath, args, { stdio: 'ignore' }), 'exit')
  expect(code).toBe(0)
}

async function tablesOf(database: string) {
  const warehouse = duckdbWarehouse(database)
  await warehouse.open()
  const events = await warehouse.query(
    `select event_id, name, occurred_at, ordinal, source, identifiers, properties, context
     from events order by event_id`,
  )
  const refused = await warehouse.query('select raw, reason from dead_letters order by 1, 2')
  const letters = refused.map(({ raw, reason }) => `${reason} ${Buffer.from(raw as Uint8Array)}`)
  const found = { ...(await dump(warehouse)), events, letters }
  await warehouse.close()
  return found
}

async function expectSameTables(database: string, other: string): Promise<void> {
  const [found, expected] = [await tablesOf(database), await tablesOf(other)]
  for (const view of Object.keys(expected) as 'events'[]) {
    expect({ view, rows: found[view] }).toEqual({ view, rows: expected[view] })
  }
}

/** Rows of events and dead letters. */
async function countOf(database: string): Promise<number> {
  const warehouse = duckdbWarehouse(database)
  await warehouse.open()
  const [row] = await warehouse.query(
    `select (select count(*) from events) + (select count(*) from dead_letters) as n`,
  )
  await warehouse.close()
  return row?.['n'] as number
}

describe.skipIf(jar === null)('the worker', () => {
  const whole = join(dir, 'whole.duckdb')

  beforeAll(async () => {
    emulator = await PubsubEmulator.start(jar as string)
    await embedded(lines, whole)
  }, SLOWLY)
  afterAll(async () => {
    await emulator?.stop()
    rmSync(dir, { recursive: true })
  })

  const worker = (url: string, database: string, ...more: string[]) =>
    new WorkerProcess(
      ['--source', url, '--warehouse', `duckdb:${database}`, ...more],
      emulator.env,
    )

  /** Takes messages as another subscriber would, hands some back at once and keeps the others until
   * their deadline has passed. Returns how many it got. */
  async function disturb(subscription: string, backShare: number): Promise<number> {
    const config = await emulator.pubsub.getClientConfig()
    const client = new v1.SubscriberClient(config as ClientOptions)
    const [{ receivedMessages }] = await client.pull({ subscription, maxMessages: 60 })
    const ackIds = (receivedMessages ?? []).map(({ ackId }) => ackId as string)
    const back = ackIds.slice(0, Math.ceil(backShare * ackIds.length))
    if (back.length > 0) {
      await client.modifyAckDeadline({ subscription, ackIds: back, ackDeadlineSeconds: 0 })
    }
    await client.close()
    return ackIds.length
  }

  const kills = test.skipIf(KILLS === 0)
  kills(`${KILLS} kills, nacks and lost deadlines leave no trace`, slowly, async () => {
    const random = new Random(3)
    const database = join(dir, 'killed.duckdb')
    const { topic, subscription, url } = await emulator.topic()
    const messages = messagesOf(lines, random)
    const again = messages.filter(() => random.chance(0.2))
    await publish(topic, [...messages, ...again])
    const start = async () => {
      await disturb(subscription.name, 0.5)
      return worker(url, database, '--batch-size', '40', '--batch-seconds', '0.2')
    }
    for (let kill = 0; kill < KILLS; kill++) {
      const running = await start()
      const commits = random.between(1, 3)
      await running.until(({ batches }) => batches === commits)
      const delay = setTimeout(() => running.kill('SIGKILL'), random.between(0, 300))
      expect(await running.end()).toMatchObject({ code: null })
      clearTimeout(delay)
    }
    const left = async () => (await countOf(whole)) - (await countOf(database))
    for (let rows = await left(); rows > 0; rows = await left()) {
      const running = await start()
      await running.until(hasDone(rows))
      running.kill('SIGTERM')
      expect(await running.end()).toEqual({ code: 0, complaints: '' })
    }
    await expectSameTables(database, whole)
  })

  test('a signal ends it within ten seconds, and nothing is lost', slowly, async () => {
    const database = join(dir, 'stopped.duckdb')
    const { topic, url } = await emulator.topic()
    await publish(topic, messagesOf(lines, new Random(4)))
    const first = worker(url, database, '--batch-size', '500')
    await first.until(({ message }) => message === 'committed')
    const signalledAt = elapsedMs()
    first.kill('SIGTERM')
    expect(await first.end()).toEqual({ code: 0, complaints: '' })
    expect(elapsedMs() - signalledAt).toBeLessThan(10_000)
    expect(first.said.at(-1)?.message).toMatch(/^stopped: /)
    const rest = (await countOf(whole)) - (await countOf(database))
    const second = worker(url, database)
    await second.until(hasDone(rest))
    second.kill('SIGINT')
    expect(await second.end()).toEqual({ code: 0, complaints: '' })
    await expectSameTables(database, whole)
  })

  test('a worker that slept past its deadlines acknowledges late', slowly, async () => {
    const [database, expected] = [join(dir, 'late.duckdb'), join(dir, 'late-whole.duckdb')]
    const few = lines.slice(0, 300)
    await embedded(few, expected)
    const { topic, subscription, url } = await emulator.topic()
    const sleeper = worker(url, database, '--batch-size', '120', '--batch-seconds', '5')
    await sleeper.until(({ message }) => message === 'started')
    await publish(
      topic,
      few.map((line) => Buffer.from(line)),
    )
    await sleeper.until(({ batches }) => batches === 1)
    sleeper.kill('SIGSTOP')
    // What another subscriber is given now has been taken from the sleeper.
    while ((await disturb(subscription.name, 1)) === 0);
    sleeper.kill('SIGCONT')
    await sleeper.until(hasDone(await countOf(expected)))
    sleeper.kill('SIGTERM')
    expect(await sleeper.end()).toEqual({ code: 0, complaints: '' })
    await expectSameTables(database, expected)
  })

  test('a line that is cut is said to be, and goes on when it is mended', slowly, async () => {
    const [database, expected] = [join(dir, 'cut.duckdb'), join(dir, 'cut-whole.duckdb')]
    const few = lines.slice(0, 600)
    await embedded(few, expected)
    const { topic, url } = await emulator.topic()
    const messages = few.map((line) => Buffer.from(line))
    await publish(topic, messages.slice(0, 300))
    const line = await Line.to(emulator.env['PUBSUB_EMULATOR_HOST'] as string)
    const env = { ...emulator.env, PUBSUB_EMULATOR_HOST: line.address }
    const running = new WorkerProcess(
      ['--source', url, '--warehouse', `duckdb:${database}`, '--batch-size', '100'],
      env,
    )
    await running.until(({ batches }) => batches === 1)
    line.cut()
    await running.until(({ message }) => message.startsWith('connection lost'))
    await publish(topic, messages.slice(300))
    line.mend()
    await running.until(hasDone(await countOf(expected)))
    running.kill('SIGTERM')
    expect(await running.end()).toEqual({ code: 0, complaints: '' })
    line.close()
    await expectSameTables(database, expected)
  })

  test('a subscription that is not there is named, and ends it', async () => {
    const missing = worker('pubsub:shop/none', join(dir, 'none.duckdb'))
    const { code, complaints } = await missing.end()
    expect({ code, lines: complaints.split('\n').length }).toEqual({ code: 1, lines: 1 })
    expect(complaints).toContain('pubsub:shop/none is not there: gcloud pubsub subscriptions')
  })
})
