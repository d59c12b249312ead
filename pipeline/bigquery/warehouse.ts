/**
 * Warehouse in Google BigQuery: one dataset.
 *
 * A commit is first staged invisibly, then applied by one script in one transaction (see
 * `commit.ts`). A writer that commits a batch moves the fence from the previous batch. Of two
 * writers only one can, and the other stops. What this process has read therefore stays valid while
 * its commits succeed.
 */

import type { Table } from 'apache-arrow'
import { BigQueryClient, type Place } from './client.ts'
import { BigQueryCommits, type Beside } from './commit.ts'
import { BigQueryErasure } from './erase.ts'
import { endErasures } from './erasure-stage.ts'
import { BigQueryLanding } from './inbox.ts'
import { atOf, madeSchema, migrate, planOf, schemaHash } from './migrate.ts'
import { storageOf } from './schema.ts'
import { Stager } from './write-stream.ts'
import { BigQueryTakeover } from './takeover.ts'
import { imageTable } from '../warehouse/image-tables.ts'
import { assert } from '../base/errors.ts'
import { NO_HEAD, noWarehouse, readHead } from '../warehouse/head.ts'
import { hashes64 } from '../base/hash.ts'
import type { AppendedName } from '../warehouse/tables.ts'
import type {
  Commit,
  EffectFate,
  ErasedRows,
  Erasure,
  Head,
  IfMissing,
  ImageKind,
  LandedContent,
  LandedMessage,
  ReadCounts,
  Row,
  RowCounts,
  Takeover,
  Warehouse,
} from '../warehouse/warehouse.ts'
import { parametersOf, type Parameters } from './wire-values.ts'

/** Keys per query; a request may have 10 MB. */
const KEYS_MAX = 50_000

/** Returns the warehouse. Nothing is opened before `open`. */
export function bigqueryWarehouse(place: Place, ifMissing: IfMissing = 'make'): Warehouse {
  return new BigQueryWarehouse(place, ifMissing)
}

type Opened = {
  client: BigQueryClient
  stager: Stager
  commits: BigQueryCommits
  landing: BigQueryLanding
}

class BigQueryWarehouse implements Warehouse {
  readonly url: string
  readonly reads: ReadCounts = { images: 0, segments: 0, timers: 0, landed: 0 }
  readonly answersMeanwhile = false
  readonly isRemote = true
  readonly #place: Place
  readonly #ifMissing: IfMissing
  #opened: Opened | null = null
  #head: Head = NO_HEAD

  constructor(place: Place, ifMissing: IfMissing) {
    this.#place = place
    this.#ifMissing = ifMissing
    this.url = `bigquery:${place.project}.${place.dataset}`
  }

  get #open(): Opened {
    assert(this.#opened !== null, 'the warehouse is open')
    return this.#opened
  }

  async open(): Promise<Head> {
    if (this.#opened === null) {
      const at = atOf(this.#place)
      const client = await BigQueryClient.connect(this.#place)
      const made = await madeSchema(client, at)
      if (made === null && this.#ifMissing === 'refuse') throw noWarehouse(this.url)
      if (made !== schemaHash(at)) {
        await migrate(client, at, await planOf(client, at))
      }
      await endErasures({ client, at })
      const stager = await Stager.connect(this.#place)
      const commits = new BigQueryCommits({
        client,
        stager,
        at,
        url: this.url,
        name: this.#place.dataset,
      })
      this.#opened = { client, stager, commits, landing: new BigQueryLanding(client) }
    }
    this.#head = await readHead((sql) => this.#read(sql))
    return this.#head
  }

  async images(kind: ImageKind, keys: string[]): Promise<Map<string, string>> {
    const rows = await this.#ofKeys(
      `select key, image from ${imageTable(kind)} where k in unnest(@wanted)
       qualify row_number() over (partition by key order by recorded_by desc) = 1`,
      signed(hashes64(keys)),
    )
    const wanted = new Set(keys)
    const found = rows.filter((row) => wanted.has(row['key'] as string))
    this.reads.images += found.length
    return new Map(found.map((row) => [row['key'] as string, row['image'] as string]))
  }

  async segments(streams: string[]): Promise<Map<string, string[]>> {
    const rows = await this.#ofKeys(
      `select stream, segment from history where k in unnest(@wanted) order by recorded_by`,
      signed(hashes64(streams)),
    )
    this.reads.segments += rows.length
    const wanted = new Set(streams)
    const segments = new Map<string, string[]>()
    for (const row of rows) {
      const stream = row['stream'] as string
      if (!wanted.has(stream)) continue
      const list = segments.get(stream)
      if (list === undefined) segments.set(stream, [row['segment'] as string])
      else list.push(row['segment'] as string)
    }
    return segments
  }

  async due(after: number | null, upTo: number): Promise<string[]> {
    if (this.#head.batch === 0) return []
    const rows = await this.#read(
      `select distinct profile_id from timer where due_at <= timestamp_micros(@up_to)
       ${after === null ? '' : 'and due_at > timestamp_micros(@after)'}`,
      {
        up_to: { value: upTo, type: 'INT64' },
        ...(after === null ? {} : { after: { value: after, type: 'INT64' } }),
      },
    )
    this.reads.timers += rows.length
    return rows.map((row) => row['profile_id'] as string)
  }

  async fingerprints(hashes: BigUint64Array): Promise<Map<bigint, bigint>> {
    const rows = await this.#ofKeys(
      `select cast(event_hash as string) as event_hash, cast(fingerprint as string) as fingerprint
       from events_log where event_hash in unnest(@wanted)`,
      signed(hashes),
    )
    this.reads.landed += rows.length
    const unsigned = (value: unknown) => BigInt.asUintN(64, BigInt(value as string))
    return new Map(rows.map((row) => [unsigned(row['event_hash']), unsigned(row['fingerprint'])]))
  }

  async landed(eventIds: string[], hashes: BigUint64Array): Promise<LandedContent[]> {
    const rows = await this.#ofKeys(
      `select event_id, name, occurred_at, ordinal, source, identifiers, properties, context,
         alias, unlink
       from events_log where event_hash in unnest(@wanted)`,
      signed(hashes),
    )
    const wanted = new Set(eventIds)
    return (rows as LandedContent[]).filter((row) => wanted.has(row.event_id))
  }

  async deadLetters(ids: string[]): Promise<Set<string>> {
    const rows = await this.#ofKeys(
      'select dead_letter_id as id from dead_letters_log where dead_letter_id in unnest(@wanted)',
      ids,
      'STRING',
    )
    return new Set(rows.map((row) => row['id'] as string))
  }

  async outbox(ids: string[]): Promise<Map<string, EffectFate>> {
    const rows = await this.#ofKeys(
      `select effect_id as id,
         if(countif(kind = 'retraction') > 0, 'retracted', any_value(status)) as fate
       from effects_log where effect_id in unnest(@wanted) group by effect_id`,
      ids,
      'STRING',
    )
    return new Map(rows.map((row) => [row['id'] as string, row['fate'] as EffectFate]))
  }

  commit(commit: Commit): Promise<void> {
    return this.#apply(commit)
  }

  async #apply(commit: Commit, beside?: Beside): Promise<void> {
    assert(commit.batch === this.#head.batch + 1, 'batches are numbered without a gap')
    assert(commit.recordedAt > this.#head.recordedAt, 'recorded_at only grows')
    await this.#open.commits.apply(commit, beside)
    this.#head = { ...this.#head, batch: commit.batch, recordedAt: commit.recordedAt }
  }

  async erase(
    commit: Commit,
    erasure: Erasure,
    certificate: (counts: ErasedRows) => Table,
    isPlan: boolean,
  ): Promise<ErasedRows> {
    const { client, stager } = this.#open
    const erasing = new BigQueryErasure({ client, stager, at: atOf(this.#place) }, commit, erasure)
    let isDone = false
    try {
      const counts = await erasing.plan()
      if (isPlan) return counts
      const inserts = new Map(commit.inserts).set('erasures', certificate(counts))
      await this.#apply({ ...commit, inserts }, erasing.beside(counts))
      isDone = true
      return counts
    } finally {
      await erasing.end(isDone)
    }
  }

  async takeOver(takeover: Takeover, decide: (counts: RowCounts) => Commit | null): Promise<void> {
    const taking = await BigQueryTakeover.open(this.#open.client, takeover)
    try {
      const commit = decide(await taking.begin())
      if (commit !== null) await this.#apply(commit, taking.beside(atOf(this.#place)))
    } finally {
      taking.close()
    }
  }

  append(table: AppendedName, rows: Table, recordedAt: number): Promise<void> {
    return this.#open.stager.append(storageOf(table), rows, recordedAt)
  }

  unapplied(bounds: { messagesMax: number; bytesMax: number }): Promise<LandedMessage[]> {
    return this.#open.landing.unapplied(bounds)
  }

  /** Uses the full name, because only tables have a default dataset. */
  asOf(view: string, instant: number): string {
    return `${atOf(this.#place)(`${view}_as_of`)}(timestamp_micros(${instant}))`
  }

  query(sql: string, parameters: (string | number | null)[] = []): Promise<Row[]> {
    return this.#open.client.query('ask', sql, parametersOf(parameters))
  }

  stream(sql: string, parameters: (string | number | null)[] = []): AsyncIterable<Row[]> {
    return this.#open.client.pages('ask', sql, parametersOf(parameters))
  }

  async close(): Promise<void> {
    await this.#opened?.stager.close()
    this.#opened = null
  }

  #read(sql: string, parameters: Parameters = {}): Promise<Row[]> {
    return this.#open.client.query('read', sql, parameters)
  }

  /** Returns the rows of a query over `@wanted`. Sends no query for a new warehouse or without
   * keys. */
  async #ofKeys(sql: string, wanted: string[], type: 'INT64' | 'STRING' = 'INT64') {
    const rows: Row[] = []
    if (this.#head.batch === 0) return rows
    const distinct = [...new Set(wanted)]
    for (let from = 0; from < distinct.length; from += KEYS_MAX) {
      const value = distinct.slice(from, from + KEYS_MAX)
      for (const row of await this.#read(sql, { wanted: { value, type } })) rows.push(row)
    }
    return rows
  }
}

/** Converts hashes to BigQuery's signed integers. */
function signed(hashes: BigUint64Array): string[] {
  return Array.from(hashes, (hash) => String(BigInt.asIntN(64, hash)))
}
