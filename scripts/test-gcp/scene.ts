/** A dataset in which trials run, and what they share. */

import type { BigQuery, Job } from '@google-cloud/bigquery'
import { now } from '../../pipeline/base/clock.ts'
import { messageOf } from '../../pipeline/base/errors.ts'
import { Hashes } from '../../pipeline/base/hashes.ts'
import type { BigQueryClient, Place } from '../../pipeline/bigquery/client.ts'
import { bigqueryWarehouse } from '../../pipeline/bigquery/warehouse.ts'
import { arrowTable } from '../../pipeline/warehouse/arrow/arrow.ts'
import type { Commit, Warehouse } from '../../pipeline/warehouse/warehouse.ts'

const BYTES_BILLED_MAX = String(10 * 2 ** 30)

export type Verdict = { isRight: boolean | null; note: string }
export type Scene = {
  place: Place
  client: BigQueryClient
  api: BigQuery
  at: (relation: string) => string
  rounds: number
}
export type Trial = { name: string; run(scene: Scene): Promise<Verdict> }

/** A batch that says whose one event is. */
export function batchAfter(head: { batch: number; recordedAt: number }, event: string): Commit {
  const keys = new Hashes()
  keys.push(event)
  const profile = {
    row_key: { bytes: keys.bytes() },
    event_id: [event],
    profile_id: ['p'],
    session_id: ['s'],
  }
  const batch = head.batch + 1
  const counts = ['read', 'landed', 'duplicate', 'rejected', 'inserted', 'superseded', 'effect']
  const row = {
    batch: [batch],
    watermark: [null],
    origin: ['test'],
    ...Object.fromEntries(counts.map((name) => [`${name}_count`, [0]])),
  }
  return {
    batch,
    recordedAt: Math.max(now(), head.recordedAt + 1),
    inserts: new Map([
      ['event_profile', arrowTable('event_profile', profile, 1)],
      ['batches', arrowTable('batches', row, 1)],
    ]),
    supersedes: new Map(),
    images: new Map(),
  }
}

export async function withWarehouses<T>(
  place: Place,
  count: number,
  work: (warehouses: Warehouse[]) => Promise<T>,
): Promise<T> {
  const warehouses = Array.from({ length: count }, () => bigqueryWarehouse(place))
  try {
    return await work(warehouses)
  } finally {
    await Promise.all(warehouses.map((warehouse) => warehouse.close()))
  }
}

export async function rowsOfBatch({ client, at }: Scene, batch: number): Promise<number> {
  const sql = `select count(*) as n from ${at('batches_log')} where batch = ${batch}`
  return ((await client.query('read', sql))[0]?.['n'] as number | undefined) ?? 0
}

export async function resolutions({ client, at }: Scene, id: string): Promise<number> {
  const sql = `select count(*) as n from ${at('dead_letter_resolution')}`
  const [row] = await client.query('read', `${sql} where dead_letter_id = '${id}'`)
  return (row?.['n'] as number | undefined) ?? 0
}

/** The job of a statement, run to its end, whatever that is. */
export async function jobOf({ api, place }: Scene, query: string, parameters: object = {}) {
  const [job] = await api.createQueryJob({
    query,
    useQueryCache: false,
    maximumBytesBilled: BYTES_BILLED_MAX,
    defaultDataset: { projectId: place.project, datasetId: place.dataset },
    labels: { app: 'desire-path', step: 'test' },
    ...parameters,
  })
  await job.getQueryResults()
  return job
}

export async function billed(
  scene: Scene,
  query: string,
  parameters: object = {},
): Promise<string> {
  return billOf(await jobOf(scene, query, parameters))
}

async function billOf(job: Job): Promise<string> {
  const [{ statistics }] = await job.getMetadata()
  return `${Number(statistics?.query?.totalBytesBilled ?? 0) / 2 ** 20} MiB`
}

/** Returns the result of a JavaScript body with a parameter `x`, or BigQuery's error. */
export async function told(scene: Scene, type: string, body: string, x: string): Promise<string> {
  const query =
    `create temp function told(x ${type}) returns string language js as r"""${body}"""; ` +
    `select substr(told(${x}), 1, 40) as said, length(told(${x})) as n`
  try {
    const job = await jobOf(scene, query)
    const [rows] = await job.getQueryResults()
    const { said, n } = (rows[0] ?? {}) as { said?: string; n?: number }
    return n === undefined || n > 40 ? `${n} characters` : String(said)
  } catch (thrown) {
    return messageOf(thrown).split('\n')[0] as string
  }
}

/** A commit is one job, whose id begins with the name of the dataset. */
export async function billedCommit({ place, api }: Scene): Promise<string> {
  return withWarehouses(place, 1, async ([warehouse]) => {
    const head = await (warehouse as Warehouse).open()
    await (warehouse as Warehouse).commit(batchAfter(head, '6'))
    const [jobs] = await api.getJobs({ autoPaginate: false, maxResults: 50 })
    const job = jobs.find(({ id }) => id?.includes(`${place.dataset}_${head.batch + 1}_`))
    return job === undefined ? 'unknown' : billOf(job)
  })
}
