/**
 * `npm run test:gcp -- --project P`: what only a real project can say, in a dataset made for it and
 * dropped at the end, also after Ctrl-C; nothing else of the project is touched. It costs a few
 * cents. One line a test: `ok`, `FAILED`, or `told` for what is a measurement and has no right
 * answer. Exit 1 when one failed.
 */

import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { BigQuery, type Job } from '@google-cloud/bigquery'
import { arrowTable } from '../../pipeline/warehouse/arrow.ts'
import { BigQueryClient, type Place } from '../../pipeline/bigquery/client.ts'
import { compact, compactionPlan } from '../../pipeline/bigquery/compact.ts'
import { atOf, migrate, planOf } from '../../pipeline/bigquery/migrate.ts'
import { bigqueryWarehouse } from '../../pipeline/bigquery/warehouse.ts'
import { now } from '../../pipeline/base/clock.ts'
import { bigqueryPlaceOf } from '../../pipeline/warehouse-url.ts'
import { messageOf, UserError } from '../../pipeline/base/errors.ts'
import { hashes64, uuidInto } from '../../pipeline/base/hash.ts'
import { landedTable } from '../../pipeline/io/inbox-source.ts'
import type { Commit, Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { command } from '../cli/command.ts'
import { interruption } from '../cli/interrupt.ts'

const ROUNDS_DEFAULT = '100'
const BYTES_BILLED_MAX = String(10 * 2 ** 30)

type Verdict = { isRight: boolean | null; note: string }
type Scene = {
  place: Place
  client: BigQueryClient
  api: BigQuery
  at: (relation: string) => string
  rounds: number
}
type Trial = { name: string; run(scene: Scene): Promise<Verdict> }

/** A batch that says whose one event is. */
function batchAfter(head: { batch: number; recordedAt: number }, event: string): Commit {
  const bytes = new Uint8Array(16)
  uuidInto(event, bytes, 0)
  const profile = {
    row_key: { bytes },
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

async function withWarehouses<T>(
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

async function rowsOfBatch({ client, at }: Scene, batch: number): Promise<number> {
  const sql = `select count(*) as n from ${at('batches_log')} where batch = ${batch}`
  return ((await client.query('read', sql))[0]?.['n'] as number | undefined) ?? 0
}

async function resolutions({ client, at }: Scene, id: string): Promise<number> {
  const sql = `select count(*) as n from ${at('dead_letter_resolution')}`
  const [row] = await client.query('read', `${sql} where dead_letter_id = '${id}'`)
  return (row?.['n'] as number | undefined) ?? 0
}

/** The job of a statement, run to its end, whatever that is. */
async function jobOf({ api, place }: Scene, query: string, parameters: object = {}) {
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

async function billed(scene: Scene, query: string, parameters: object = {}): Promise<string> {
  return billOf(await jobOf(scene, query, parameters))
}

async function billOf(job: Job): Promise<string> {
  const [{ statistics }] = await job.getMetadata()
  return `${Number(statistics?.query?.totalBytesBilled ?? 0) / 2 ** 20} MiB`
}

/** Returns the result of a JavaScript body with a parameter `x`, or BigQuery's error. */
async function told(scene: Scene, type: string, body: string, x: string): Promise<string> {
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
async function billedCommit({ place, api }: Scene): Promise<string> {
  return withWarehouses(place, 1, async ([warehouse]) => {
    const head = await (warehouse as Warehouse).open()
    await (warehouse as Warehouse).commit(batchAfter(head, '6'))
    const [jobs] = await api.getJobs({ autoPaginate: false, maxResults: 50 })
    const job = jobs.find(({ id }) => id?.includes(`${place.dataset}_${head.batch + 1}_`))
    return job === undefined ? 'unknown' : billOf(job)
  })
}

const TRIALS: Trial[] = [
  {
    name: '1. of two commits at once exactly one is there',
    async run(scene) {
      let wrong = 0
      for (let round = 0; round < scene.rounds; round++) {
        await withWarehouses(scene.place, 2, async (warehouses) => {
          const heads = await Promise.all(warehouses.map((warehouse) => warehouse.open()))
          const commits = heads.map((head, i) => batchAfter(head, `1-${round}-${i}`))
          const ends = await Promise.allSettled(
            warehouses.map((warehouse, i) => warehouse.commit(commits[i] as Commit)),
          )
          const won = ends.filter(({ status }) => status === 'fulfilled').length
          const there = await rowsOfBatch(scene, (heads[0]?.batch ?? 0) + 1)
          if (won !== 1 || there !== 1) wrong += 1
        })
      }
      return { isRight: wrong === 0, note: `${scene.rounds} rounds, ${wrong} wrong` }
    },
  },
  {
    name: '1b. the same by a fence that is only read, which does not keep the second out',
    async run(scene) {
      const { client, at, rounds } = scene
      const [{ batch = 0 } = {}] = await client.query('read', `select batch from ${at('fence')}`)
      let both = 0
      for (let round = 0; round < rounds; round++) {
        const id = `1b-${round}`
        const script =
          'begin transaction; ' +
          `if (select batch from ${at('fence')}) != ${String(batch)} then ` +
          "raise using message = 'FENCE_LOST'; end if; " +
          `insert into ${at('dead_letter_resolution')} (dead_letter_id) values ('${id}'); ` +
          'commit transaction;'
        await Promise.allSettled([jobOf(scene, script), jobOf(scene, script)])
        if ((await resolutions(scene, id)) === 2) both += 1
      }
      return { isRight: null, note: `${rounds} rounds, both committed in ${both}` }
    },
  },
  {
    name: '2. a fence moved during a commit keeps that commit out for good',
    async run(scene) {
      return withWarehouses(scene.place, 1, async ([warehouse]) => {
        const head = await (warehouse as Warehouse).open()
        const batch = head.batch + 1
        const committing = (warehouse as Warehouse).commit(batchAfter(head, '2')).then(
          () => 'committed',
          (thrown: unknown) => messageOf(thrown),
        )
        const bump =
          `update ${scene.at('fence')} set batch = batch + 1, run = 'bump' ` +
          `where batch = ${head.batch}`
        const bumped = await jobOf(scene, bump).then(() => 'bumped', messageOf)
        const isThere = await rowsOfBatch(scene, batch)
        const end = await committing
        await pause(5_000)
        const isThereLater = await rowsOfBatch(scene, batch)
        const stands = head.batch + isThereLater
        await jobOf(scene, `update ${scene.at('fence')} set batch = ${stands} where true`)
        return { isRight: isThere === isThereLater, note: `bump: ${bumped}; commit: ${end}` }
      })
    },
  },
  {
    name: '3. a job whose client went away is found by its id and not run again',
    async run(scene) {
      const { client, api, at, place } = scene
      const jobId = `test_${randomUUID()}`
      const query = `insert into ${at('dead_letter_resolution')} (dead_letter_id) values ('3')`
      const defaultDataset = { projectId: place.project, datasetId: place.dataset }
      await api.createQueryJob({ query, jobId, defaultDataset })
      const ending = await client.script('commit', query, jobId)
      const rows = await resolutions(scene, '3')
      return { isRight: rows === 1, note: `${ending.kind}, rows: ${rows}` }
    },
  },
  {
    name: '4. rows of a stream that was committed a moment ago are read in a transaction',
    async run({ place, client, at }) {
      return withWarehouses(place, 1, async ([warehouse]) => {
        const head = await (warehouse as Warehouse).open()
        await (warehouse as Warehouse).commit(batchAfter(head, '4'))
        const sql = `select count(*) as n from ${at('event_profile_base')} where event_id = '4'`
        const [row] = await client.query('read', sql)
        return { isRight: row?.['n'] === 1, note: `rows: ${String(row?.['n'])}` }
      })
    },
  },
  {
    name: '5. an UPDATE, in a transaction, of rows that were just streamed',
    async run(scene) {
      const script =
        `begin transaction; update ${scene.at('staged')} set content = content where true; ` +
        'rollback transaction;'
      const said = await jobOf(scene, script).then(() => 'it is done', messageOf)
      return { isRight: null, note: said.split('\n')[0] as string }
    },
  },
  {
    name: '6. what is billed',
    async run(scene) {
      const wanted = Array.from(hashes64(['a', 'b']), (hash) => String(BigInt.asIntN(64, hash)))
      const table = scene.at('profile_image')
      const byList = `select key from ${table} where k in unnest(@wanted)`
      const byJoin =
        `select key from ${table} as images ` +
        'inner join unnest(@wanted) as wanted on wanted = images.k'
      const parameters = { params: { wanted }, types: { wanted: ['INT64'] } }
      const asOf = `select * from ${scene.at('states_as_of')}(current_timestamp())`
      const notes = [
        `a commit into two tables ${await billedCommit(scene)}`,
        `a view at an instant ${await billed(scene, asOf)}`,
        `keys as a list ${await billed(scene, byList, parameters)}`,
        `keys as a join ${await billed(scene, byJoin, parameters)}`,
      ]
      return { isRight: null, note: notes.join(', ') }
    },
  },
  {
    name: '7. JavaScript in BigQuery, where nothing of this pipeline runs so far',
    async run(scene) {
      const long = 'return "x".repeat(x)'
      const instant = "timestamp '2026-03-01 00:00:00.000001+00'"
      const next = 'return String(BigInt(x) + 1n)'
      const notes = [
        `2^53 + 2: ${await told(scene, 'string', next, "'9007199254740993'")}`,
        `a microsecond: ${await told(scene, 'timestamp', 'return String(x.microsecond)', instant)}`,
        `4.9 MB: ${await told(scene, 'float64', long, '4900000')}`,
        `5.1 MB: ${await told(scene, 'float64', long, '5100000')}`,
      ]
      return { isRight: null, note: notes.join(', ') }
    },
  },
  {
    name: '8. Arrow record batches: every column type is read back as it was',
    async run({ place, client, at }) {
      return withWarehouses(place, 1, async ([warehouse]) => {
        await (warehouse as Warehouse).open()
        const message = {
          subscription_name: 'é \u{1f600}',
          message_id: randomUUID(),
          publish_time: now() - 1,
          data: Buffer.from([0, 255, 10]),
          attributes: '{"a":"b"}',
        }
        await (warehouse as Warehouse).append('landed_messages', landedTable([message]), now())
        const publication = { topic: ['8'], batch: [2 ** 53 - 1], effect_no: [-7] }
        const rows = arrowTable('effect_publication', publication, 1)
        await (warehouse as Warehouse).append('effect_publication', rows, now())
        const names = Object.keys(message).join(', ')
        const landed = await client.query(
          'read',
          `select ${names} from ${at('landed_messages')} where message_id = @id`,
          { id: { value: message.message_id, type: 'STRING' } },
        )
        const [back] = await client.query(
          'read',
          `select topic, batch, effect_no from ${at('effect_publication')}`,
        )
        const given = JSON.stringify([message, { topic: '8', batch: 2 ** 53 - 1, effect_no: -7 }])
        const found = JSON.stringify([landed[0], back])
        return { isRight: given === found, note: found }
      })
    },
  },
  {
    name: '9. the scripts of a compaction are run, and leave the views as they were',
    async run({ place, client, at }) {
      const sql = `select count(*) as n, max(recorded_by) as last from ${at('event_profile_all')}`
      const before = JSON.stringify(await client.query('read', sql))
      const plan = await compactionPlan(client, place)
      const tables = plan.tables.map((table) => ({ ...table, surplus: 1 }))
      await compact(client, place, { ...plan, tables }, () => undefined)
      const after = JSON.stringify(await client.query('read', sql))
      return { isRight: before === after, note: `${tables.length} tables, ${after}` }
    },
  },
]

type Options = { project: string; location?: string; rounds: string }

export const program = command(
  'npm run test:gcp',
  'Tests a real Google Cloud project in a dataset that it drops afterwards.',
)
  .requiredOption('--project <id>', 'project in which datasets can be created')
  .option('--location <region>', 'location of the dataset (default: US)')
  .option('--rounds <n>', 'number of races between two writers', ROUNDS_DEFAULT)
  .addHelpText(
    'after',
    '\nExpect half an hour, most of it races, and a few cents. It needs the role BigQuery User\n' +
      'and gcloud auth application-default login.',
  )
  .action(async ({ project, location, rounds }: Options) => {
    if (!/^[1-9]\d{0,3}$/.test(rounds)) {
      throw new UserError(
        `--rounds ${JSON.stringify(rounds)} is not valid: use a number from 1 to 9999`,
        2,
      )
    }
    const dataset = `desire_path_test_${randomUUID().replaceAll('-', '')}`
    const place = bigqueryPlaceOf(`bigquery:${project}.${dataset}`)
    const { emulator } = place
    const endpoint =
      emulator === undefined
        ? {}
        : { apiEndpoint: `http://${emulator.host}:${emulator.restPort}`, autoRetry: false }
    const client = await BigQueryClient.connect(place)
    const api = new BigQuery({ projectId: project, ...endpoint })
    const scene: Scene = { place, client, api, at: atOf(place), rounds: Number(rounds) }
    const signal = interruption(() => {
      process.stderr.write('stopping after this test; the dataset is dropped\n')
    })
    process.stdout.write(`in ${project}.${dataset}, which is dropped at the end\n`)
    try {
      await migrate(client, scene.at, await planOf(client, scene.at), location)
      for (const { name, run } of TRIALS) {
        if (signal.aborted) break
        const { isRight, note } = await run(scene).catch((thrown: unknown): Verdict => ({
          isRight: false,
          note: messageOf(thrown),
        }))
        const word = isRight === null ? 'told' : isRight ? 'ok' : 'FAILED'
        process.stdout.write(`${word.padEnd(6)} ${name}: ${note}\n`)
        if (isRight === false) process.exitCode = 1
      }
    } finally {
      await api
        .dataset(dataset)
        .delete({ force: true })
        .catch((thrown: unknown) => {
          if ((thrown as { code?: unknown }).code === 404) return
          const how = `bq rm -r -f -d ${project}:${dataset}`
          throw new UserError(`the dataset is not dropped: ${messageOf(thrown)}; ${how}`)
        })
    }
  })
