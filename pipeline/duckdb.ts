/**
 * The embedded warehouse: one DuckDB file, one process, one connection.
 *
 * A commit only appends. What that leaves behind is tidied outside the batch, each in its own
 * transaction and safe to lose: pending supersedes are folded into their tables, and image logs
 * are compacted to the latest image of each key.
 *
 * The file must not be opened, copied or hashed elsewhere in this process while it is open here:
 * that would release DuckDB's lock on it.
 */

import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBInstance,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBUUIDValue,
  type DuckDBAppender,
  type DuckDBConnection,
  type DuckDBValue,
} from '@duckdb/node-api'
import type { Table } from 'apache-arrow'
import { hashTable, keyTable, uuidTable } from './arrow.ts'
import { appendTable } from './duckdb-append.ts'
import { compactStatements, foldStatements, schemaStatements, storageOf } from './duckdb-schema.ts'
import { assert, messageOf, UserError } from './errors.ts'
import { hash64, hashes64 } from './ids.ts'
import { TABLES, VERSIONED_NAMES, type TableName } from './tables.ts'
import {
  IMAGE_KINDS,
  type Commit,
  type EffectFate,
  type Head,
  type ImageKind,
  type LandedContent,
  type ReadCounts,
  type Registration,
  type Row,
  type Warehouse,
} from './warehouse.ts'

/** Storage v1.5 has zstd; without vacuum, checkpoints do not merge row groups again and again. */
const SETTINGS = {
  storage_compatibility_version: 'v1.5.0',
  wal_autocheckpoint: '32MB',
  max_vacuum_tasks: '0',
  threads: '2',
}

/** Enough for a batch, however long the history. */
const MEMORY_DEFAULT = '128MB'

/** Pending supersedes of a table at which they are folded. */
const PENDING_MAX = 300_000
/** An image log is compacted when it has this many times its live keys, and so many rows. */
const IMAGE_SURPLUS = 4
const IMAGE_ROWS_MIN = 50_000

/** DuckDB looks up at most so many keys of one list in an index; more it scans for. */
const INDEXED_KEYS_MAX = 2_000

/** `path` may be `:memory:`. Nothing is opened before `open`. */
export function duckdbWarehouse(path: string, memory = MEMORY_DEFAULT): Warehouse {
  return new DuckDBWarehouse(path, memory)
}

class DuckDBWarehouse implements Warehouse {
  readonly url: string
  readonly reads: ReadCounts = { images: 0, segments: 0, timers: 0, landed: 0 }
  readonly #path: string
  readonly #memory: string
  #instance: DuckDBInstance | null = null
  #open: DuckDBConnection | null = null
  #head: Head = { batch: 0, recordedAt: 0, watermark: null }
  readonly #appenders = new Map<string, DuckDBAppender>()
  /** Rows waiting in each `_pending` table, and in each image log with its next compaction. */
  readonly #pending = new Map<string, number>()
  readonly #imageRows = new Map<ImageKind, { rows: number; compactAt: number }>()

  constructor(path: string, memory: string) {
    this.#path = path
    this.#memory = memory
    this.url = `duckdb:${path}`
  }

  get #connection(): DuckDBConnection {
    assert(this.#open !== null, 'the warehouse is open')
    return this.#open
  }

  async open(): Promise<Head> {
    if (this.#open === null) {
      this.#instance = await createInstance(this.#path, this.#memory)
      this.#open = await this.#instance.connect()
      await this.#run("set timezone = 'UTC'")
      await this.#transaction(schemaStatements())
      await this.#count()
    }
    const [last] = await this.query(
      'select batch, recorded_at, watermark from batches order by batch desc limit 1',
    )
    if (last !== undefined) {
      this.#head = {
        batch: last['batch'] as number,
        recordedAt: last['recorded_at'] as number,
        watermark: last['watermark'] as number | null,
      }
    }
    return this.#head
  }

  async #count(): Promise<void> {
    const rowsOf = async (table: string) =>
      (await this.query(`select count(*) as n from ${table}`))[0]?.['n'] as number
    for (const table of VERSIONED_NAMES) {
      this.#pending.set(table, await rowsOf(`${table}_pending`))
    }
    for (const kind of IMAGE_KINDS) {
      this.#imageRows.set(kind, { rows: await rowsOf(`${kind}_image`), compactAt: IMAGE_ROWS_MIN })
    }
  }

  async registrations(): Promise<Registration[]> {
    const rows = await this.query(
      `select kind, id, version, hash from releases
       where action = 'registered' order by recorded_by`,
    )
    return rows as Registration[]
  }

  async images(kind: ImageKind, keys: string[]): Promise<Map<string, string>> {
    await this.#want(keys)
    const rows = await this.query(
      `select wanted.key, max_by(stored.image, stored.recorded_by) as image
       from ${kind}_image as stored
       inner join wanted on wanted.k = stored.k and wanted.key = stored.key
       group by wanted.key`,
    )
    this.reads.images += rows.length
    return new Map(rows.map((row) => [row['key'] as string, row['image'] as string]))
  }

  async segments(streams: string[]): Promise<Map<string, string[]>> {
    const rows: Row[] = []
    for (let from = 0; from < streams.length; from += INDEXED_KEYS_MAX) {
      const part = streams.slice(from, from + INDEXED_KEYS_MAX)
      const keys = part.map((stream) => hash64(stream)).join(', ')
      const found = await this.query(
        `select stream, segment from history where k in (${keys}) order by recorded_by`,
      )
      const wanted = new Set(part)
      rows.push(...found.filter((row) => wanted.has(row['stream'] as string)))
    }
    this.reads.segments += rows.length
    const segments = new Map<string, string[]>()
    for (const row of rows) {
      const stream = row['stream'] as string
      const list = segments.get(stream)
      if (list === undefined) segments.set(stream, [row['segment'] as string])
      else list.push(row['segment'] as string)
    }
    return segments
  }

  async due(after: number | null, upTo: number): Promise<string[]> {
    const from = after === null ? '' : `due_at > make_timestamptz(${after}) and `
    const rows = await this.query(
      `select distinct profile_id from timer where ${from}due_at <= make_timestamptz(${upTo})`,
    )
    this.reads.timers += rows.length
    return rows.map((row) => row['profile_id'] as string)
  }

  async fingerprints(hashes: BigUint64Array): Promise<Map<bigint, bigint>> {
    if (this.#head.batch === 0 || hashes.length === 0) return new Map()
    await this.#fillHashes(hashes)
    const rows = await this.query(
      `select cast(event_hash as varchar) as hash, cast(fingerprint as varchar) as fingerprint
       from events_log semi join wanted_hash on wanted_hash.k = events_log.event_hash`,
    )
    this.reads.landed += rows.length
    return new Map(
      rows.map((row) => [BigInt(row['hash'] as string), BigInt(row['fingerprint'] as string)]),
    )
  }

  async landed(eventIds: string[], hashes: BigUint64Array): Promise<LandedContent[]> {
    await this.#fillHashes(hashes)
    const rows = await this.query(
      `select event_id, name, occurred_at, ordinal, source, identifiers, properties, context,
         alias, unlink
       from events_log where rowid in (select events_log.rowid from events_log
         semi join wanted_hash on wanted_hash.k = events_log.event_hash)`,
    )
    const wanted = new Set(eventIds)
    return (rows as LandedContent[]).filter((row) => wanted.has(row.event_id))
  }

  async deadLetters(ids: string[]): Promise<Set<string>> {
    await this.#wantIds(ids)
    const rows = await this.query(
      `select dead_letter_id as id from dead_letters_log
       semi join wanted_id on wanted_id.id = dead_letters_log.dead_letter_id`,
    )
    return new Set(rows.map((row) => row['id'] as string))
  }

  async outbox(ids: string[]): Promise<Map<string, EffectFate>> {
    await this.#wantIds(ids)
    const rows = await this.query(
      `select effect_id as id, case when bool_or(kind = 'retraction') then 'retracted'
         else any_value(status) end as fate from effects_log
       semi join wanted_id on wanted_id.id = effects_log.effect_id group by effect_id`,
    )
    return new Map(rows.map((row) => [row['id'] as string, row['fate'] as EffectFate]))
  }

  async commit(commit: Commit): Promise<void> {
    assert(commit.batch === this.#head.batch + 1, 'batches are numbered without a gap')
    assert(commit.recordedAt > this.#head.recordedAt, 'recorded_at only grows')
    const stamp = [BigInt(commit.recordedAt), BigInt(commit.batch)]
    const append = async (table: string, rows: Table, constants: (bigint | null)[]) => {
      const appender = await this.#appender(table)
      appendTable(appender, rows, constants)
      appender.flushSync()
    }
    await this.#run('begin')
    try {
      for (const [table, rows] of commit.inserts) {
        const isVersioned = TABLES[table].kind === 'versioned'
        await append(storageOf(table), rows, isVersioned ? [...stamp, null, null, null] : stamp)
      }
      for (const [table, rows] of commit.supersedes) await append(`${table}_pending`, rows, stamp)
      for (const [kind, rows] of commit.images) await append(`${kind}_image`, rows, stamp)
      await this.#run('commit')
    } catch (thrown) {
      this.#dropAppenders()
      await this.#run('rollback').catch(() => undefined)
      throw thrown
    }
    this.#head = { ...this.#head, batch: commit.batch, recordedAt: commit.recordedAt }
    await this.#tidy(commit)
  }

  /** One appender a table for as long as the table is: each keeps buffers until it is collected. */
  async #appender(table: string): Promise<DuckDBAppender> {
    const known = this.#appenders.get(table)
    if (known !== undefined) return known
    const appender = await this.#connection.createAppender(table)
    this.#appenders.set(table, appender)
    return appender
  }

  /** Rows still in an appender would be written later, on their own: they are dropped first. */
  #dropAppenders(): void {
    for (const appender of this.#appenders.values()) {
      try {
        appender.clear()
        appender.closeSync()
      } catch {
        // Closing repeats the error of a failed flush; there is nothing left to lose.
      }
    }
    this.#appenders.clear()
  }

  async #tidy({ supersedes, images }: Commit): Promise<void> {
    for (const [table, rows] of supersedes) {
      const pending = (this.#pending.get(table) ?? 0) + rows.numRows
      this.#pending.set(table, pending)
      if (pending > PENDING_MAX) await this.#fold(table)
    }
    for (const [kind, rows] of images) {
      const log = this.#imageRows.get(kind) ?? { rows: 0, compactAt: IMAGE_ROWS_MIN }
      log.rows += rows.numRows
      if (log.rows > log.compactAt) await this.#compact(kind, log)
    }
  }

  async #fold(table: TableName & (typeof VERSIONED_NAMES)[number]): Promise<void> {
    await this.#transaction(foldStatements(table))
    this.#pending.set(table, 0)
  }

  async #compact(kind: ImageKind, log: { rows: number; compactAt: number }): Promise<void> {
    const [count] = await this.query(`select approx_count_distinct(k) as keys from ${kind}_image`)
    const keys = count?.['keys'] as number
    if (log.rows > IMAGE_SURPLUS * keys) {
      await this.#transaction(compactStatements(`${kind}_image`))
      log.rows = keys
    }
    log.compactAt = Math.max(IMAGE_ROWS_MIN, IMAGE_SURPLUS * keys)
  }

  /** Statements that may replace tables, so appenders to them are let go. */
  async #transaction(statements: string[]): Promise<void> {
    this.#dropAppenders()
    await this.#run('begin')
    try {
      for (const statement of statements) await this.#run(statement)
      await this.#run('commit')
    } catch (thrown) {
      await this.#run('rollback').catch(() => undefined)
      throw thrown
    }
  }

  async query(sql: string, parameters: (string | number | null)[] = []): Promise<Row[]> {
    const result = await this.#connection.runAndReadAll(sql, parameters)
    return result.getRowObjects().map((row) => {
      const plain: Row = {}
      for (const [name, value] of Object.entries(row)) plain[name] = plainValue(value)
      return plain
    })
  }

  async close(): Promise<void> {
    if (this.#open === null) return
    for (const table of VERSIONED_NAMES) {
      if ((this.#pending.get(table) ?? 0) > 0) await this.#fold(table)
    }
    this.#dropAppenders()
    this.#open.closeSync()
    this.#instance?.closeSync()
    this.#open = null
    this.#instance = null
  }

  async #run(statement: string): Promise<void> {
    await this.#connection.run(statement)
  }

  /** Fills the table of keys that the next query joins. */
  async #want(keys: string[]): Promise<void> {
    await this.#run('truncate wanted')
    await this.#fill('wanted', keyTable(hashes64(keys), keys))
  }

  async #fillHashes(hashes: BigUint64Array): Promise<void> {
    await this.#run('truncate wanted_hash')
    await this.#fill('wanted_hash', hashTable(hashes))
  }

  async #wantIds(ids: string[]): Promise<void> {
    await this.#run('truncate wanted_id')
    await this.#fill('wanted_id', uuidTable(ids))
  }

  async #fill(table: string, rows: Table): Promise<void> {
    const appender = await this.#appender(table)
    appendTable(appender, rows, [])
    appender.flushSync()
  }
}

async function createInstance(path: string, memory: string): Promise<DuckDBInstance> {
  try {
    return await DuckDBInstance.create(path, { ...SETTINGS, memory_limit: memory })
  } catch (thrown) {
    throw openFailure(path, messageOf(thrown))
  }
}

/** DuckDB's reasons for not opening a file, in words that say what to do. */
function openFailure(path: string, message: string): UserError {
  const holder = /\(PID (\d+)/.exec(message)?.[1]
  if (message.includes('lock')) {
    const who = holder === undefined ? 'another process' : `process ${holder}`
    return new UserError(
      `${path} is locked: ${who} has it open; wait for it to end, or choose another --warehouse`,
    )
  }
  if (message.includes('not a valid DuckDB database file')) {
    return new UserError(`${path} is not a DuckDB file: choose another --warehouse`)
  }
  return new UserError(`${path} cannot be opened as a warehouse: ${message.split('\n')[0]}`)
}

function plainValue(value: DuckDBValue): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof DuckDBTimestampTZValue || value instanceof DuckDBTimestampValue) {
    return Number(value.micros)
  }
  if (value instanceof DuckDBUUIDValue || value instanceof DuckDBDateValue) return value.toString()
  if (value instanceof DuckDBBlobValue) return value.bytes
  return value
}
