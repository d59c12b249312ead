/**
 * Message rate from Google's Pub/Sub emulator through a worker process into each warehouse. The
 * BigQuery emulator's time says little about BigQuery; it shows the cost of the protocol and of the
 * statements of a commit.
 */

import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { elapsedMs } from '../../pipeline/base/clock.ts'
import { EMULATOR_VARIABLE } from '../../pipeline/warehouse-url.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import { startBigQuery } from '../emulators/bigquery-emulator.ts'
import { emptyDataset } from '../emulators/empty-dataset.ts'
import { PubsubEmulator, pubsubEmulator } from '../emulators/pubsub-emulator.ts'
import { WorkerProcess } from '../emulators/worker-process.ts'
import { Shop } from '../sample/shop.ts'

/** Messages per second, with one event each. */
export type Rate = { what: string; messages: number; perSecond: number }

export async function* cloudRates(messages: number): AsyncGenerator<Rate> {
  const jar = pubsubEmulator()
  const bigquery = await startBigQuery()
  if (jar === null || bigquery === null)
    throw new UserError('both emulators are needed: see test/README.md')
  const dir = mkdtempSync(join(tmpdir(), 'desire-path-bench-'))
  const pubsub = await PubsubEmulator.start(jar)
  try {
    const place = bigquery.place('bench')
    await emptyDataset(place)
    const { host, restPort, grpcPort } = place.emulator as NonNullable<typeof place.emulator>
    const env = { ...pubsub.env, [EMULATOR_VARIABLE]: `${host}:${restPort}:${grpcPort}` }
    const warehouses = [
      ['DuckDB', `duckdb:${join(dir, 'bench.duckdb')}`],
      ['bqemulator', `bigquery:${place.project}.${place.dataset}`],
    ] as const
    for (const [what, warehouse] of warehouses) {
      const { topic, url } = await pubsub.topic()
      const publishing = elapsedMs()
      const lines = [...new Shop(4).lines(messages)]
      await Promise.all(lines.map((line) => topic.publishMessage({ data: Buffer.from(line) })))
      yield rate('published', messages, publishing)
      const worker = new WorkerProcess(['--source', url, '--warehouse', warehouse], env)
      await worker.until(({ message }) => message === 'started')
      const startedAt = elapsedMs()
      await worker.until(({ read }) => Number(read) >= messages)
      yield rate(`into ${what}`, messages, startedAt)
      worker.kill('SIGTERM')
      await once(worker.process, 'close')
    }
  } finally {
    await pubsub.stop()
    await bigquery.stop()
    rmSync(dir, { recursive: true })
  }
}

function rate(what: string, messages: number, startedAt: number): Rate {
  return { what, messages, perSecond: (messages * 1_000) / (elapsedMs() - startedAt) }
}
