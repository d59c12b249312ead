/**
 * Streams rows into `staged` for commits, and into tables that are appended to outside of batches.
 * Uses Arrow record batches and the Storage Write API; no other file uses its client.
 *
 * Rows of a pending stream become visible together when it is finalized and committed; an abandoned
 * stream disappears. Offsets are checked, so a repeated append is stored once. A single request is
 * atomic and needs no stream of its own.
 */

import type { BigQueryWriteClient } from '@google-cloud/bigquery-storage'
import type { Table } from 'apache-arrow'
import {
  recordedWires,
  stagedWire,
  type StagedRows,
  type WireTable,
} from '../warehouse/arrow/arrow-wire.ts'
import type { Place } from './client.ts'
import { assert, messageOf, UserError } from '../base/errors.ts'

/** A request may have 20 MB. Texts are counted in UTF-16 units, each at most three bytes. */
const CHUNK_UNITS = 2_500_000
const CHUNK_ROWS = 20_000
const PIECE_BYTES = 6_000_000
const APPEND_TRIES = 3

/** gRPC codes of an offset that is taken, and of one that is too far. */
const ALREADY_EXISTS = 6
const PERMISSION_DENIED = 7
const ABORTED = 10
const OUT_OF_RANGE = 11
/** gRPC codes that may be retried immediately. */
const RETRYABLE = new Set([4, ABORTED, 13, 14])

type Appended = { appendResult?: unknown; error?: Failure | null; rowErrors?: unknown[] }
type Failure = { code?: number; message?: string }
type Connection = ReturnType<BigQueryWriteClient['appendRows']>

export class Stager {
  readonly #place: Place
  readonly #api: BigQueryWriteClient

  private constructor(place: Place, api: BigQueryWriteClient) {
    this.#place = place
    this.#api = api
  }

  static async connect(place: Place): Promise<Stager> {
    const { BigQueryWriteClient: Api } = await import('@google-cloud/bigquery-storage')
    const { project: projectId, emulator } = place
    if (emulator === undefined) return new Stager(place, new Api({ projectId }))
    const { grpc } = await import('google-gax')
    const { host, grpcPort: port } = emulator
    const sslCreds = grpc.credentials.createInsecure()
    return new Stager(place, new Api({ projectId, servicePath: host, port, sslCreds }))
  }

  /** Stages rows; all become visible or none. Returns how many. */
  write(
    table: string,
    stage: { stage: string; stagedAt: number },
    rows: AsyncIterable<{ target: string; content: string }>,
  ): Promise<number> {
    return this.#attempt(() => this.#stream(table, wiresOf(stage, rows)))
  }

  /** Appends rows, all or none. A single request is at-least-once: if its answer is lost and it is
   * repeated, rows may be stored twice. */
  async append(table: string, rows: Table, recordedAt: number): Promise<void> {
    const wires = [...recordedWires(rows, recordedAt, PIECE_BYTES)]
    const [only, ...others] = wires
    if (only === undefined) return
    await this.#attempt(async () => {
      if (others.length > 0) await this.#stream(table, wires)
      else await this.#append(`${this.#parent(table)}/streams/_default`, null, only)
    })
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (thrown) {
      if ((thrown as Failure).code !== PERMISSION_DENIED) throw thrown
      const { project, dataset } = this.#place
      throw new UserError(
        `bigquery:${project}.${dataset} denies writing: grant roles/bigquery.dataEditor to the ` +
          `account: ${messageOf(thrown)}`,
      )
    }
  }

  #parent(table: string): string {
    const { project, dataset } = this.#place
    return `projects/${project}/datasets/${dataset}/tables/${table}`
  }

  async #stream(
    table: string,
    wires: Iterable<WireTable> | AsyncIterable<WireTable>,
  ): Promise<number> {
    const parent = this.#parent(table)
    const [{ name }] = await this.#api.createWriteStream({
      parent,
      writeStream: { type: 'PENDING' },
    })
    assert(typeof name === 'string', 'a write stream has a name')
    let offset = 0
    for await (const wire of wires) {
      await this.#append(name, offset, wire)
      offset += wire.rowCount
    }
    const [{ rowCount }] = await this.#api.finalizeWriteStream({ name })
    assert(Number(rowCount) === offset, `all ${offset} streamed rows are stored, not ${rowCount}`)
    const [{ streamErrors }] = await this.#api.batchCommitWriteStreams({
      parent,
      writeStreams: [name],
    })
    const [failure] = streamErrors ?? []
    if (failure !== undefined) throw new Error(`streaming rows failed: ${failure.errorMessage}`)
    return offset
  }

  /** Sends one request at a time. A broken connection is opened again at the same offset. A stream
   * that has less than was acknowledged is abandoned; the rows are staged again in another one. */
  async #append(writeStream: string, offset: number | null, wire: WireTable): Promise<void> {
    const { serializedSchema, serializedRecordBatch } = wire
    const request = {
      writeStream,
      ...(offset === null ? {} : { offset: { value: offset } }),
      arrowRows: { writerSchema: { serializedSchema }, rows: { serializedRecordBatch } },
    }
    for (let tries = 1; ; tries++) {
      const failure = await this.#send(writeStream, request)
      if (failure === null || failure.code === ALREADY_EXISTS) return
      if (tries < APPEND_TRIES && RETRYABLE.has(failure.code ?? 0)) continue
      const code = failure.code === OUT_OF_RANGE ? ABORTED : failure.code
      throw Object.assign(new Error(`streaming rows failed: ${failure.message}`), { code })
    }
  }

  #send(writeStream: string, request: object): Promise<Failure | null> {
    const headers = { 'x-goog-request-params': `write_stream=${writeStream}` }
    const connection: Connection = this.#api.appendRows({ otherArgs: { headers } })
    return new Promise((resolve) => {
      const settle = (failure: Failure | null) => {
        resolve(failure)
        connection.end()
      }
      connection.on('data', ({ error, rowErrors }: Appended) => {
        const refused = rowErrors?.length ? { message: JSON.stringify(rowErrors[0]) } : null
        settle(error ?? refused)
      })
      connection.on('error', (thrown: Failure) => {
        resolve({ ...thrown, message: messageOf(thrown) })
      })
      connection.on('end', () => resolve({ code: 14, message: 'the connection was closed' }))
      connection.write(request)
    })
  }

  async close(): Promise<void> {
    await this.#api.close()
  }
}

async function* wiresOf(
  { stage, stagedAt }: { stage: string; stagedAt: number },
  rows: AsyncIterable<{ target: string; content: string }>,
): AsyncGenerator<WireTable> {
  const empty = (): StagedRows => ({ stagedAt, stage, targets: [], contents: [] })
  let chunk = empty()
  let units = 0
  for await (const { target, content } of rows) {
    const isFull = units + content.length > CHUNK_UNITS || chunk.contents.length === CHUNK_ROWS
    if (isFull && chunk.contents.length > 0) {
      yield stagedWire(chunk)
      chunk = empty()
      units = 0
    }
    chunk.targets.push(target)
    chunk.contents.push(content)
    units += content.length
  }
  if (chunk.contents.length > 0) yield stagedWire(chunk)
}
