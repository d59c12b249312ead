/**
 * Connection to one DuckDB file in one process: statements, rows, and appending Arrow tables.
 * Everything uses one connection, except lookups and long reads, which see the state at their
 * start.
 *
 * While the file is open, this process must not open, copy or hash it elsewhere: that would release
 * DuckDB's lock on it.
 */

import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
import { appendTable, type Filling } from './append.ts'
import type { Appended } from './commit-rows.ts'
import { notDuckDB, openFailure, workFailure } from './engine-errors.ts'
import type { Means } from './resource-limits.ts'
import { Dictionaries } from './text-items.ts'
import type { Row } from '../warehouse/warehouse.ts'

/** Maximum number of keys for which a join filters the scan of its other side, so that pages
 * without these keys are not read. DuckDB's default is 50. */
const PAGES_FILTERED = '5000'

/**
 * Storage v1.5 has zstd. Without vacuum, checkpoints do not merge row groups repeatedly.
 *
 * Every appended column keeps a block in memory, full or not. Blocks of 256 KB compress better and
 * cost less to write than smaller ones, and the memory of a run suffices. The log is long, so that
 * a small batch does not trigger a checkpoint; a file that was not closed replays it.
 */
const SETTINGS = {
  dynamic_or_filter_threshold: PAGES_FILTERED,
  storage_compatibility_version: 'v1.5.0',
  default_block_size: '262144',
  wal_autocheckpoint: '128MB',
  max_vacuum_tasks: '0',
}

/** Access mode. A reader changes nothing on disk. */
export type Access = 'read' | 'write'

export class DuckDBFile {
  readonly #path: string
  readonly #instance: DuckDBInstance
  readonly #connection: DuckDBConnection
  readonly #appenders = new Map<string, DuckDBAppender>()

  /** Schemas in which unqualified names are looked up. */
  #searchPath = 'main'

  /** Whether this connection has opened the file. */
  readonly #isOwner: boolean

  private constructor(
    path: string,
    instance: DuckDBInstance,
    connection: DuckDBConnection,
    isOwner: boolean,
  ) {
    this.#path = path
    this.#instance = instance
    this.#connection = connection
    this.#isOwner = isOwner
  }

  /** Opens a file or `:memory:`. Several processes may read a file that none writes. Throws a
   * `UserError` with the reason if the file cannot be opened. */
  static async open(path: string, means: Means, access: Access = 'write'): Promise<DuckDBFile> {
    const instance = await createInstance(path, means, access)
    return new DuckDBFile(path, instance, await connected(instance, 'main'), true)
  }

  /** Opens another connection to the file, which must be closed first. Temporary tables belong to
   * one connection; commits of others are visible immediately. */
  async beside(): Promise<DuckDBFile> {
    const connection = await connected(this.#instance, this.#searchPath)
    return new DuckDBFile(this.#path, this.#instance, connection, false)
  }

  /** Sets the schemas for unqualified names on this connection and on later ones. They must exist. */
  async search(schemas: string): Promise<void> {
    await this.run(searching(schemas))
    this.#searchPath = schemas
  }

  async run(statement: string): Promise<void> {
    await this.#explained(() => this.#connection.run(statement))
  }

  async query(sql: string, parameters: (string | number | null)[] = []): Promise<Row[]> {
    const result = await this.#explained(() => this.#connection.runAndReadAll(sql, parameters))
    return result.getRowObjects().map(plainRow)
  }

  /** Yields rows of a query, a few thousand at a time, while others write. */
  async *rows(sql: string, parameters: (string | number | null)[] = []): AsyncGenerator<Row[]> {
    const connection = await connected(this.#instance, this.#searchPath)
    try {
      const result = await connection.stream(sql, parameters)
      const names = result.deduplicatedColumnNames()
      for (;;) {
        const chunk = await result.fetchChunk()
        if (chunk === null || chunk.rowCount === 0) return
        const columns = names.map((_, c) => chunk.getColumnValues(c))
        yield Array.from({ length: chunk.rowCount }, (_, row) => rowOf(names, columns, row))
      }
    } finally {
      connection.closeSync()
    }
  }

  /** Yields the only column of a query, a few thousand values at a time. */
  async *stream(sql: string): AsyncGenerator<readonly DuckDBValue[]> {
    const result = await this.#connection.stream(sql)
    for (;;) {
      const chunk = await result.fetchChunk()
      if (chunk === null || chunk.rowCount === 0) return
      yield chunk.getColumnValues(0)
    }
  }

  /** Counts the rows of relations in one statement. */
  async counts<Name extends string>(relations: readonly Name[]): Promise<Map<Name, number>> {
    const counted = relations.map((name) => `select '${name}' as name, count(*) as n from ${name}`)
    const rows = await this.query(counted.join(' union all '))
    return new Map(rows.map((row) => [row['name'] as Name, row['n'] as number]))
  }

  /** Appends rows to a table, temporary or qualified by its schema, within the open transaction if
   * there is one. */
  async append(table: string, rows: Table, fillings: readonly Filling[] = []): Promise<void> {
    await this.appendAll([{ table, rows, fillings }])
  }

  /** Appends rows to tables. Those that share texts are appended by one call. */
  async appendAll(all: Iterable<Appended>): Promise<void> {
    const dictionaries = new Dictionaries()
    await this.#explained(async () => {
      for (const { table, rows, fillings } of all) {
        const appender = await this.#appender(table)
        appendTable(appender, rows, fillings, dictionaries)
        appender.flushSync()
      }
    })
    dictionaries.close()
  }

  /** Runs `work`. Converts failures such as a full disk to errors with a next step. */
  async #explained<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (thrown) {
      throw workFailure(this.#path, thrown)
    }
  }

  /** Replaces the rows of a temporary table. */
  async refill(table: string, rows: Table): Promise<void> {
    await this.run(`truncate ${table}`)
    await this.append(table, rows)
  }

  /** Runs statements in a transaction. They may replace tables. */
  async transaction(work: () => Promise<void>): Promise<void> {
    await this.run('begin')
    try {
      await work()
      await this.run('commit')
    } catch (thrown) {
      this.dropAppenders()
      await this.run('rollback').catch(() => undefined)
      throw thrown
    }
  }

  /** Returns the appender of a table. Appenders are reused, because each keeps buffers until
   * collected. */
  async #appender(table: string): Promise<DuckDBAppender> {
    const known = this.#appenders.get(table)
    if (known !== undefined) return known
    const [name = '', schema] = table.split('.').reverse()
    // Without its catalog, a temporary table beside a file opened for reading counts as read-only.
    const appender = await (schema === undefined
      ? this.#connection.createAppender(name, 'main', 'temp')
      : this.#connection.createAppender(name, schema))
    this.#appenders.set(table, appender)
    return appender
  }

  /** Drops the appenders. Must be called before a table is replaced, because rows left in an
   * appender would be written later. */
  dropAppenders(): void {
    for (const appender of this.#appenders.values()) {
      try {
        appender.clear()
        appender.closeSync()
      } catch {
        // Closing repeats the error of a failed flush, which was reported already.
      }
    }
    this.#appenders.clear()
  }

  close(): void {
    this.dropAppenders()
    this.#connection.closeSync()
    if (this.#isOwner) this.#instance.closeSync()
  }
}

async function connected(instance: DuckDBInstance, schemas: string): Promise<DuckDBConnection> {
  const connection = await instance.connect()
  await connection.run(`set timezone = 'UTC'; ${searching(schemas)}`)
  return connection
}

const searching = (schemas: string) => `set search_path = '${schemas}'`

const SPILL_DIR = join(tmpdir(), `desire-path-${process.pid}`)

async function createInstance(
  path: string,
  { memory, threads }: Means,
  access: Access,
): Promise<DuckDBInstance> {
  let instance: DuckDBInstance
  try {
    instance = await DuckDBInstance.create(path, {
      ...SETTINGS,
      memory_limit: memory,
      threads: String(threads),
      // A file spills beside itself. A database in memory would spill into the current directory,
      // where two processes would conflict.
      ...(path === ':memory:' ? { temp_directory: SPILL_DIR } : {}),
      ...(access === 'read' ? { access_mode: 'READ_ONLY' } : {}),
    })
  } catch (thrown) {
    throw openFailure(path, thrown)
  }
  if (path !== ':memory:' && !(await isFile(instance))) {
    instance.closeSync()
    throw notDuckDB(path)
  }
  return instance
}

/** Returns false for a data file (CSV, JSON …), which DuckDB opens as an in-memory view over it. */
async function isFile(instance: DuckDBInstance): Promise<boolean> {
  const connection = await instance.connect()
  const found = await connection.runAndReadAll(
    'select path is not null from duckdb_databases() where database_name = current_database()',
  )
  connection.closeSync()
  return found.value(0, 0) === true
}

function rowOf(
  names: readonly string[],
  columns: readonly (readonly DuckDBValue[])[],
  row: number,
): Row {
  const plain: Row = {}
  for (let c = 0; c < names.length; c++) {
    plain[names[c] as string] = plainValue(columns[c]?.[row] as DuckDBValue)
  }
  return plain
}

function plainRow(row: { [column: string]: DuckDBValue }): Row {
  const plain: Row = {}
  for (const [name, value] of Object.entries(row)) plain[name] = plainValue(value)
  return plain
}

function plainValue(value: DuckDBValue): unknown {
  if (typeof value === 'string') return value
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof DuckDBTimestampTZValue || value instanceof DuckDBTimestampValue) {
    return Number(value.micros)
  }
  if (value instanceof DuckDBUUIDValue || value instanceof DuckDBDateValue) return value.toString()
  if (value instanceof DuckDBBlobValue) return value.bytes
  return value
}
