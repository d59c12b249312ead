/**
 * Pub/Sub → worker → BigQuery, each in its own process, with faults in between: another subscriber
 * that takes messages, SIGKILL, a warehouse that restarts, one that does not respond, one that
 * refuses. After each, the tables equal those of an embedded run over the same events, row for row.
 *
 * All tests share one dataset and add events to it.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bigqueryWarehouse } from '../../pipeline/bigquery/warehouse.ts'
import type { Place } from '../../pipeline/bigquery/client.ts'
import { elapsedMs } from '../../pipeline/base/clock.ts'
import { EMULATOR_VARIABLE } from '../../pipeline/warehouse-url.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { Random } from '../../scripts/sample/random.ts'
import { Shop } from '../../scripts/sample/shop.ts'
import { startBigQuery } from '../../scripts/emulators/bigquery-emulator.ts'
import { emptyDataset } from '../../scripts/emulators/empty-dataset.ts'
import { countOf, disturb, embedded, expectSameTables, messagesOf, publish } from './deliveries.ts'
import { Line } from './line.ts'
import { Proxy, refuse } from './proxy.ts'
import {
  PubsubEmulator,
  pubsubEmulator,
  type Subscribed,
} from '../../scripts/emulators/pubsub-emulator.ts'
import { hasDone, WorkerProcess } from '../../scripts/emulators/worker-process.ts'

const MINUTES = 600_000
const slowly = { timeout: MINUTES }
const PART = 30

const jar = pubsubEmulator()
const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
const kept = join(dir, 'bigquery')
let bigquery = await startBigQuery(kept)
const isAble = jar !== null && bigquery !== null

const lines = [...new Shop(6).lines(4 * PART)]
const isCommit = (body: string) => body.includes('commit transaction')

describe.skipIf(!isAble)('between Pub/Sub and BigQuery', () => {
  let pubsub: PubsubEmulator
  let subscribed: Subscribed
  let place: Place
  let proxy: Proxy
  let line: Line
  let fed = 0
  /** All published events, read from a file. */
  let whole: Warehouse

  beforeAll(async () => {
    if (bigquery === null) return
    pubsub = await PubsubEmulator.start(jar as string)
    subscribed = await pubsub.topic()
    place = bigquery.place('faults')
    await emptyDataset(place)
    proxy = new Proxy(bigquery.url)
    await proxy.listen()
    line = await Line.to(grpcOf(place))
  }, MINUTES)
  afterAll(async () => {
    proxy?.close()
    line?.close()
    await pubsub?.stop()
    await bigquery?.stop()
    rmSync(dir, { recursive: true })
  })

  const grpcOf = ({ emulator }: Place) => `${emulator?.host}:${emulator?.grpcPort}`

  const worker = () => {
    const { emulator } = place
    const warehouse = `bigquery:${place.project}.${place.dataset}`
    const args = ['--source', subscribed.url, '--warehouse', warehouse, '--batch-size', '5']
    return new WorkerProcess(args, {
      ...pubsub.env,
      [EMULATOR_VARIABLE]: `${emulator?.host}:${proxy.port}:${line.address.split(':')[1]}`,
    })
  }

  /** Publishes the next events, some of them twice. */
  async function feed(random: Random): Promise<void> {
    const part = lines.slice(fed, (fed += PART))
    const messages = messagesOf(part, random)
    const again = messages.filter(() => random.chance(0.2))
    await publish(subscribed.topic, [...messages, ...again])
    const path = join(dir, `${fed}.duckdb`)
    await embedded(lines.slice(0, fed), path)
    whole = duckdbWarehouse(path)
  }

  /** Returns how many published events are not in the tables. */
  const left = async () => (await countOf(whole)) - (await countOf(bigqueryWarehouse(place)))

  async function expectAllAfter(running: WorkerProcess): Promise<void> {
    running.kill('SIGTERM')
    expect(await running.end()).toEqual({ code: 0, complaints: '' })
    await expectSameTables(bigqueryWarehouse(place), whole)
  }

  /** Checks that a new worker lands the remaining events. */
  async function expectAllOfAnother(): Promise<void> {
    const rows = await left()
    const running = worker()
    await running.until(hasDone(rows))
    await expectAllAfter(running)
  }

  test('SIGKILL during a commit, nacks and missed deadlines leave no trace', slowly, async () => {
    const random = new Random(7)
    await feed(random)
    await disturb(pubsub.pubsub, subscribed.subscription.name, 0.5)
    const killed = worker()
    const delay = random.between(0, 1_000)
    proxy.luck = (_request, body) => {
      if (isCommit(body)) setTimeout(() => killed.kill('SIGKILL'), delay)
      return false
    }
    expect(await killed.end()).toMatchObject({ code: null })
    proxy.luck = () => false
    await proxy.idle()
    await expectAllOfAnother()
  })

  test('a worker waits for a warehouse that restarts', slowly, async () => {
    await feed(new Random(8))
    // Fails from the first read after a commit; bigquery-commit.test.ts interrupts commits.
    let [isCommitted, isGone] = [false, false]
    proxy.luck = (request, body) => {
      isGone ||= isCommitted && body.includes('"step":"read"')
      isCommitted ||= isCommit(body)
      if (isGone) request.socket.destroy()
      return isGone
    }
    const rows = await left()
    const running = worker()
    await running.until(({ message }) => message === 'commit failed, retrying')
    line.cut()
    await bigquery?.stop()
    bigquery = await startBigQuery(kept)
    place = bigquery?.place('faults') as Place
    proxy.target = bigquery?.url as string
    proxy.luck = () => false
    line.mend(grpcOf(place))
    await running.until(hasDone(rows))
    await expectAllAfter(running)
  })

  test('a batch that takes too long after a signal is abandoned', slowly, async () => {
    await feed(new Random(9))
    const asked = new Promise<void>((resolve) => {
      proxy.luck = (_request, body) => {
        if (isCommit(body)) resolve()
        return isCommit(body)
      }
    })
    const first = worker()
    await asked
    const signalledAt = elapsedMs()
    first.kill('SIGTERM')
    expect(await first.end()).toEqual({ code: 0, complaints: '' })
    expect(elapsedMs() - signalledAt).toBeLessThan(10_000)
    expect(first.said.at(-1)?.message).toMatch(/^stopped: the current batch is abandoned/)
    proxy.luck = () => false
    await expectAllOfAnother()
  })

  test('a warehouse that refuses ends the worker with one line, without loss', slowly, async () => {
    await feed(new Random(10))
    proxy.luck = (_request, _body, response) =>
      refuse(response, 403, 'accessDenied', 'Access Denied: Dataset p1:faults')
    const { code, complaints } = await worker().end()
    expect({ code, complaints }).toEqual({
      code: 1,
      complaints: 'error: bigquery:p1.faults rejects the request: Access Denied: Dataset p1:faults',
    })
    proxy.luck = () => false
    await expectAllOfAnother()
  })
})
