/**
 * One DuckDB file, one process: statements in, rows out, Arrow tables appended. There is one
 * connection for all but look-ups and long readings; these see what was there when they began.
 *
 * The file must not be opened, copied or hashed elsewhere in this process while it is open here:
 * that would release DuckDB's lock on it.
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
import { notDuckDB, openFailure, workFailure } from './engine-errors.ts'
import type { Means } from './resource-limits.ts'
import type { Row } from '../warehouse/warehouse.ts'

/** A join with at most so many keys on one side tells the scan of the other which they are, and
 * pages without any of them are not read. DuckDB's own limit is 50. */
const PAGES_FILTERED = '5000'

/**
 * Storage v1.5 has zstd; without vacuum, checkpoints do not merge row groups again and again.
 *
 * Every column that is appended to keeps a block in memory, full or not. Blocks of 256 KB compress
 * better and cost less to write than smaller ones, and a run has the memory for them. The log is
 * long, so that a small batch does not end in a checkpoint; a file that was not closed replays it.
 */
const SETTINGS = {
  dynamic_or_filter_threshold: PAGES_FILTERED,
  storage_compatibility_version: 'v1.5.0',
  default_block_size: '262144',
  wal_autocheckpoint: '128MB',
  max_vacuum_tasks: '0',
}

/** What a file is opened for: a reader changes nothing on disk. */
export type Access = 'read' | 'write'

export class DuckDBFile {
  readonly #path: string
  readonly #instance: DuckDBInstance
  readonly #connection: DuckDBConnection
  readonly #appenders = new Map<string, DuckDBAppender>()

  /** Schemas in which unqualified names are found. */
  #searchPath = 'main'

  /** Whether this is what has opened the file. */
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

  /** `path` may be `:memory:`. Several processes may read a file that none writes. Throws a
   * `UserError` that says why a file cannot be opened. */
  static async open(path: string, means: Means, access: Access = 'write'): Promise<DuckDBFile> {
    const instance = await createInstance(path, means, access)
    return new DuckDBFile(path, instance, await connected(instance, 'main'), true)
  }

  /** A connection of its own to the same file, to be closed before it. Temporary tables are a
   * connection's own, and what others commit is seen as soon as it is committed. */
  async beside(): Promise<DuckDBFile> {
    const connection = await connected(this.#instance, this.#searchPath)
    return new DuckDBFile(this.#path, this.#instance, connection, false)
  }

  /** Finds unqualified names in these schemas, on this connection and on those made from now on.
   * The schemas must exist. */
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

  /** The same, a few thousand rows at a time, while others write. */
  async *rows(sql: string, parameters: (string | number | null)[] = []): AsyncGenerator<Row[]> {
    const connection = await connected(this.#instance, this.#searchPath)
    try {
      const result = await connection.stream(sql, parameters)
      for await (const rows of result.yieldRowObjects()) yield rows.map(plainRow)
    } finally {
      connection.closeSync()
    }
  }

  /** The one column of a query, a few thousand values at a time. */
  async *stream(sql: string): AsyncGenerator<readonly DuckDBValue[]> {
    const result = await this.#connection.stream(sql)
    for (;;) {
      const chunk = await result.fetchChunk()
      if (chunk === null || chunk.rowCount === 0) return
      yield chunk.getColumnValues(0)
    }
  }

  /** How many rows relations have, in one statement. */
  async counts<Name extends string>(relations: readonly Name[]): Promise<Map<Name, number>> {
    const counted = relations.map((name) => `select '${name}' as name, count(*) as n from ${name}`)
    const rows = await this.query(counted.join(' union all '))
    return new Map(rows.map((row) => [row['name'] as Name, row['n'] as number]))
  }

  /** Appends rows to a table, temporary or qualified by its schema; inside a transaction, if one is open, else on their own. */
  async append(table: string, rows: Table, fillings: readonly Filling[] = []): Promise<void> {
    await this.#explained(async () => {
      const appender = await this.#appender(table)
      appendTable(appender, rows, fillings)
      appender.flushSync()
    })
  }

  /** Does `work`; of its failures, a full disk and the like become errors that say what to do. */
  async #explained<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (thrown) {
      throw workFailure(this.#path, thrown)
    }
  }

  /** Makes the rows of a temporary table. */
  async refill(table: string, rows: Table): Promise<void> {
    await this.run(`truncate ${table}`)
    await this.append(table, rows)
  }

  /** Statements that happen together or not at all; they may replace tables. */
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

  /** One appender a table for as long as the table is: each keeps buffers until it is collected. */
  async #appender(table: string): Promise<DuckDBAppender> {
    const known = this.#appenders.get(table)
    if (known !== undefined) return known
    const [name = '', schema] = table.split('.').reverse()
    const appender = await this.#connection.createAppender(name, schema)
    this.#appenders.set(table, appender)
    return appender
  }

  /** Must be called before a table is replaced. Rows still in an appender would be written later,
   * on their own: they are dropped first. */
  dropAppenders(): void {
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
      // A file spills beside itself. What is in memory would spill into the current directory, and
      // two processes there would get in each other's way.
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

/** DuckDB opens a data file (CSV, JSON …) as a view over it in memory, where nothing is kept. */
async function isFile(instance: DuckDBInstance): Promise<boolean> {
  const connection = await instance.connect()
  const found = await connection.runAndReadAll(
    'select path is not null from duckdb_databases() where database_name = current_database()',
  )
  connection.closeSync()
  return found.value(0, 0) === true
}

function plainRow(row: { [column: string]: DuckDBValue }): Row {
  const plain: Row = {}
  for (const [name, value] of Object.entries(row)) plain[name] = plainValue(value)
  return plain
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
