/**
 * BigQuery jobs: a query with its rows, a script with its outcome. No other file uses the client
 * library, which is loaded when a warehouse is opened.
 *
 * Every job has labels, so that its cost can be found, and a limit on billed bytes. A script has a
 * job id chosen here: if its answer is lost, the job is looked up by that id.
 */

import { setTimeout as pause } from 'node:timers/promises'
import type { BigQuery, Dataset, Job } from '@google-cloud/bigquery'
import { messageOf, UserError } from '../base/errors.ts'
import { backoffMs } from '../base/retry.ts'
import type { Row } from '../warehouse/warehouse.ts'
import { bound, rowOf, type Field, type Parameters } from './wire-values.ts'

/** Maximum bytes billed per job: 1 TiB. */
const BYTES_BILLED_MAX = 2 ** 40
const PAGE_ROWS = 5_000
const UNAVAILABLE = 503
const LOOK_UPS_MAX = 6
const LOOK_UP_PAUSE_MS = 500

/** BigQuery error reasons that are transient. */
const PASSING = new Set([
  'backendError',
  'internalError',
  'jobBackendError',
  'jobInternalError',
  'jobRateLimitExceeded',
  'rateLimitExceeded',
  'userRateLimitExceeded',
])

export function isPassing(reason: string): boolean {
  return PASSING.has(reason)
}

/** `project.dataset`, and the ports of an emulator. */
export type Place = {
  project: string
  dataset: string
  emulator?: { host: string; restPort: number; grpcPort: number }
}

/** Purpose of a job, as shown on the bill. */
export type Step = 'read' | 'ask' | 'commit' | 'compact' | 'migrate'

/** Outcome of a script; `lost` if it is unknown. */
export type Ending = { kind: 'done' } | { kind: 'failed' | 'lost'; reason: string; message: string }

type Page = {
  jobComplete?: boolean
  schema?: { fields?: Field[] }
  rows?: { f: { v: unknown }[] }[]
  pageToken?: string
}
type JobStatus = { state?: string; errorResult?: { reason?: string; message?: string } | null }
type ApiError = { code?: number | string; errors?: { reason?: string }[]; message?: string }

export class BigQueryClient {
  readonly #place: Place
  readonly #api: BigQuery
  /** Client without the library's own retries, so that no script is sent twice unintentionally. */
  readonly #once: BigQuery

  private constructor(place: Place, api: BigQuery, once: BigQuery) {
    this.#place = place
    this.#api = api
    this.#once = once
  }

  static async connect(place: Place): Promise<BigQueryClient> {
    const { BigQuery: Api } = await import('@google-cloud/bigquery')
    const { project: projectId, emulator } = place
    const options = { projectId }
    if (emulator !== undefined) {
      process.env['METADATA_SERVER_DETECTION'] = 'none'
      const apiEndpoint = `http://${emulator.host}:${emulator.restPort}`
      Object.assign(options, { apiEndpoint })
    }
    return new BigQueryClient(place, new Api(options), new Api({ ...options, autoRetry: false }))
  }

  get #dataset(): Dataset {
    return this.#api.dataset(this.#place.dataset)
  }

  /** Returns the dataset's tables with the names of their columns; null if the dataset does not
   * exist. */
  async tables(): Promise<Map<string, Set<string>> | null> {
    return this.#attempt(async () => {
      const [isThere] = await this.#dataset.exists()
      if (!isThere) return null
      const tables = new Map<string, Set<string>>()
      const [all] = await this.#dataset.getTables()
      for (const table of all) {
        const [metadata] = await table.getMetadata()
        const fields: Field[] = metadata.schema?.fields ?? []
        tables.set(table.id ?? '', new Set(fields.map(({ name }) => name)))
      }
      return tables
    })
  }

  async hasTable(name: string): Promise<boolean> {
    return this.#attempt(async () => (await this.#dataset.table(name).exists())[0])
  }

  /** Returns a stamp that changes when rows are added to a table. Free of charge; may lag behind. */
  async stampOf(name: string): Promise<string> {
    const [{ lastModifiedTime, numRows, streamingBuffer }] = await this.#attempt(() =>
      this.#dataset.table(name).getMetadata(),
    )
    return JSON.stringify([lastModifiedTime, numRows, streamingBuffer])
  }

  /** Creates the dataset. `location` cannot be changed later; Google's default is the United
   * States. */
  async makeDataset(location: string | undefined): Promise<void> {
    await this.#attempt(async () => {
      if ((await this.#dataset.exists())[0]) return
      await this.#dataset.create(location === undefined ? {} : { location })
    })
  }

  /** Yields rows of a query, a page at a time. */
  async *pages(step: Step, query: string, parameters: Parameters = {}): AsyncGenerator<Row[]> {
    const [job] = await this.#attempt(() =>
      this.#api.createQueryJob({ ...this.#options(step, query), ...bound(parameters) }),
    )
    let fields: Field[] = []
    let pageToken: string | undefined
    do {
      const page = await this.#attempt(() => this.#page(job, pageToken))
      fields = page.schema?.fields ?? fields
      const rows = page.rows ?? []
      if (rows.length > 0) yield rows.map(({ f }) => rowOf(fields, f))
      pageToken = page.pageToken
    } while (pageToken !== undefined)
  }

  async query(step: Step, query: string, parameters: Parameters = {}): Promise<Row[]> {
    const all: Row[] = []
    for await (const rows of this.pages(step, query, parameters)) {
      for (const row of rows) all.push(row)
    }
    return all
  }

  /** Runs a script under its own job id and returns its outcome. If the answer is lost, the job is
   * queried a limited number of times. */
  async script(step: Step, query: string, jobId: string): Promise<Ending> {
    try {
      const [job] = await this.#once.createQueryJob({ ...this.#options(step, query), jobId })
      return await this.#endingOf(job)
    } catch (thrown) {
      const error = thrown as ApiError
      if (typeof error.code === 'number' && error.code < 500 && error.code !== 409) {
        return { kind: 'failed', reason: reasonOf(error), message: messageOf(thrown) }
      }
      return this.#lookUp(jobId, messageOf(thrown))
    }
  }

  async #lookUp(jobId: string, complaint: string): Promise<Ending> {
    for (let attempt = 1; attempt <= LOOK_UPS_MAX; attempt++) {
      await pause(backoffMs(attempt, LOOK_UP_PAUSE_MS))
      try {
        const [{ location }] = await this.#dataset.getMetadata()
        const [job] = await this.#api.job(jobId, { location }).get()
        return await this.#endingOf(job)
      } catch (thrown) {
        complaint = messageOf(thrown)
        if ((thrown as ApiError).code === 404) break
      }
    }
    return { kind: 'lost', reason: 'lost', message: complaint }
  }

  async #endingOf(job: Job): Promise<Ending> {
    for (;;) {
      const [metadata] = await job.getMetadata()
      const { state, errorResult }: JobStatus = metadata.status ?? {}
      if (errorResult !== undefined && errorResult !== null) {
        const { reason = '', message = '' } = errorResult
        return { kind: 'failed', reason, message }
      }
      if (state === 'DONE') return { kind: 'done' }
      await this.#page(job, undefined)
    }
  }

  /** Returns a page of a job's result. Waits for the job, and throws its error. */
  async #page(job: Job, pageToken: string | undefined): Promise<Page> {
    for (;;) {
      const [, , page] = await job.getQueryResults({
        autoPaginate: false,
        skipParsing: true,
        maxResults: PAGE_ROWS,
        ...(pageToken === undefined ? {} : { pageToken }),
      })
      if ((page as Page).jobComplete !== false) return page as Page
    }
  }

  #options(step: Step, query: string) {
    const { project, dataset } = this.#place
    return {
      query,
      defaultDataset: { projectId: project, datasetId: dataset },
      labels: { app: 'desire-path', step },
      maximumBytesBilled: String(BYTES_BILLED_MAX),
    }
  }

  /** Converts errors: those the user can fix to a `UserError`, transient ones to a code that
   * `isTransient` recognizes. */
  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (thrown) {
      const message = messageOf(thrown)
      const { project, dataset } = this.#place
      const where = `bigquery:${project}.${dataset}`
      if (message.includes('default credentials')) {
        const how = 'run gcloud auth application-default login'
        throw new UserError(`${where} cannot be queried: credentials are missing; ${how}`)
      }
      if (isPassing(reasonOf(thrown as ApiError))) {
        throw Object.assign(new Error(message), { code: UNAVAILABLE })
      }
      if ((thrown as ApiError).code === 403) {
        throw new UserError(`${where} rejects the request: ${message.split('\n')[0]}`)
      }
      throw thrown
    }
  }
}

function reasonOf({ errors }: ApiError): string {
  return errors?.[0]?.reason ?? ''
}
