/**
 * At-least-once delivery, exactly-once results: whatever happens to the subscription and the
 * worker, the tables equal those of an embedded run over the same events, row for row.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Topic } from '@google-cloud/pubsub'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { elapsedMs } from '../../pipeline/base/clock.ts'
import { duckdbWarehouse as file } from '../../pipeline/duckdb/warehouse.ts'
import { Random } from '../../scripts/sample/random.ts'
import { Shop } from '../../scripts/sample/shop.ts'
import { countOf, disturb, embedded, expectSameTables, messagesOf, publish } from './deliveries.ts'
import { Line } from './line.ts'
import { PubsubEmulator, pubsubEmulator } from '../../scripts/emulators/pubsub-emulator.ts'
import { hasDone, WorkerProcess } from '../../scripts/emulators/worker-process.ts'

const KILLS = Number(process.env['KILLS_OVER_PUBSUB'] ?? 1)
const SLOWLY = 300_000
const slowly = { timeout: SLOWLY }
/** Messages of a killed reader are redelivered after 20 to 60 s. */
const moreSlowly = { timeout: SLOWLY + KILLS * 120_000 }
const jar = pubsubEmulator()
const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
let emulator: PubsubEmulator

const lines = [...new Shop(5).lines(2_000)]

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
    new WorkerProcess(['--source', url, '--warehouse', `duckdb:${database}`, ...more], emulator.env)

  const kills = test.skipIf(KILLS === 0)
  kills(`SIGKILL (${KILLS}), nacks and lost deadlines leave no trace`, moreSlowly, async () => {
    const random = new Random(3)
    const database = join(dir, 'killed.duckdb')
    const { topic, subscription, url } = await emulator.topic()
    const messages = messagesOf(lines, random)
    const again = messages.filter(() => random.chance(0.2))
    await publish(topic, [...messages, ...again])
    const start = async () => {
      await disturb(emulator.pubsub, subscription.name, 0.5)
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
    const left = async () => (await countOf(file(whole))) - (await countOf(file(database)))
    for (let rows = await left(); rows > 0; rows = await left()) {
      const running = await start()
      await running.until(hasDone(rows))
      running.kill('SIGTERM')
      expect(await running.end()).toEqual({ code: 0, complaints: '' })
    }
    await expectSameTables(file(database), file(whole))
  })

  test('a signal ends it within ten seconds without loss', slowly, async () => {
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
    const rest = (await countOf(file(whole))) - (await countOf(file(database)))
    const second = worker(url, database)
    await second.until(hasDone(rest))
    second.kill('SIGINT')
    expect(await second.end()).toEqual({ code: 0, complaints: '' })
    await expectSameTables(file(database), file(whole))
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
    // Messages that another subscriber receives now were taken from the sleeping worker.
    while ((await disturb(emulator.pubsub, subscription.name, 1)) === 0);
    sleeper.kill('SIGCONT')
    await sleeper.until(hasDone(await countOf(file(expected))))
    sleeper.kill('SIGTERM')
    expect(await sleeper.end()).toEqual({ code: 0, complaints: '' })
    await expectSameTables(file(database), file(expected))
  })

  /** Cuts the connection of a worker after its first batch. `mend` restores it. Returns what was
   * published and what was not. */
  async function cutOff(
    of: PubsubEmulator,
    name: string,
    mend: (line: Line, topic: Topic, was: Buffer[], rest: Buffer[]) => Promise<void>,
  ): Promise<void> {
    const [database, expected] = [join(dir, `${name}.duckdb`), join(dir, `${name}-whole.duckdb`)]
    const few = lines.slice(0, 600)
    await embedded(few, expected)
    const { topic, url } = await of.topic()
    const messages = few.map((line) => Buffer.from(line))
    const [was, rest] = [messages.slice(0, 300), messages.slice(300)]
    await publish(topic, was)
    const line = await Line.to(of.env['PUBSUB_EMULATOR_HOST'] as string)
    const running = new WorkerProcess(
      ['--source', url, '--warehouse', `duckdb:${database}`, '--batch-size', '100'],
      { ...of.env, PUBSUB_EMULATOR_HOST: line.address },
    )
    await running.until(({ batches }) => batches === 1)
    line.cut()
    await running.until(({ message }) => message.startsWith('connection lost'))
    await mend(line, topic, was, rest)
    await running.until(hasDone(await countOf(file(expected))))
    running.kill('SIGTERM')
    expect(await running.end()).toEqual({ code: 0, complaints: '' })
    line.close()
    await expectSameTables(file(database), file(expected))
  }

  test('a cut connection is logged, and reading resumes when it is restored', slowly, async () => {
    await cutOff(emulator, 'cut', async (line, topic, _, rest) => {
      await publish(topic, rest)
      line.mend()
    })
  })

  test('reading resumes after the server restarts without data', slowly, async () => {
    const first = await PubsubEmulator.start(jar as string)
    let second: PubsubEmulator | null = null
    await cutOff(first, 'restarted', async (line, _, was, rest) => {
      await first.stop()
      second = await PubsubEmulator.start(jar as string)
      // The server keeps nothing, so the publisher publishes everything again.
      await publish((await second.topic()).topic, [...was, ...rest])
      line.mend(second.env['PUBSUB_EMULATOR_HOST'])
    })
    await (second as PubsubEmulator | null)?.stop()
  })

  test('a subscription that does not exist is named, and ends the worker', async () => {
    const missing = worker('pubsub:shop/none', join(dir, 'none.duckdb'))
    const { code, complaints } = await missing.end()
    expect({ code, lines: complaints.split('\n').length }).toEqual({ code: 1, lines: 1 })
    expect(complaints).toContain('pubsub:shop/none does not exist: gcloud pubsub subscriptions')
  })
})
