/**
 * DuckDB warehouse of a run, in a thread of its own: appending, committing and checkpoints run beside
 * deriving. The file is opened in that thread only. Two instances of DuckDB in one process would
 * overwrite each other's commits.
 *
 * A commit is copied to the thread, because the state store reads it too.
 */

import type { Table } from 'apache-arrow'
import { assert } from '../../base/errors.ts'
import { TablePacker } from '../../warehouse/arrow/arrow-thread.ts'
import { packedTables } from '../../warehouse/arrow/packed-tables.ts'
import type { AppendedName } from '../../warehouse/tables.ts'
import type {
  Commit,
  EffectFate,
  ErasedRows,
  Head,
  ImageKind,
  LandedContent,
  LandedMessage,
  Loading,
  ReadCounts,
  Row,
  Warehouse,
} from '../../warehouse/warehouse.ts'
import { asOf, type DuckDBOptions } from '../warehouse.ts'
import { WarehouseThread } from './warehouse-thread.ts'

/** Returns the warehouse at a path for a run: it cannot erase or take over. The thread starts with
 * `open` and ends with `close`, unless `thread` is given. */
export function threadedWarehouse(
  path: string,
  options: DuckDBOptions = {},
  thread: WarehouseThread | null = null,
): Warehouse {
  return new ThreadedWarehouse(path, options, thread)
}

class ThreadedWarehouse implements Warehouse {
  readonly url: string
  readonly reads: ReadCounts = { images: 0, segments: 0, timers: 0, landed: 0 }
  readonly answersMeanwhile = true
  readonly isRemote = false
  readonly #path: string
  readonly #options: DuckDBOptions
  readonly #shared: WarehouseThread | null
  #opened: WarehouseThread | null = null
  /** Number of long reads so far. */
  #longReads = 0

  constructor(path: string, options: DuckDBOptions, thread: WarehouseThread | null) {
    this.#path = path
    this.#options = options
    this.#shared = thread
    this.url = `duckdb:${path}`
  }

  get #thread(): WarehouseThread {
    assert(this.#opened !== null, 'the warehouse is open')
    return this.#opened
  }

  async open(): Promise<Head> {
    if (this.#opened === null) {
      const thread = this.#shared ?? new WarehouseThread()
      this.#opened = thread
      const { onNotice, ...options } = this.#options
      if (onNotice !== undefined) thread.onNotice = onNotice
      thread.onReads = (reads) => Object.assign(this.reads, reads)
      await thread.ask('make', this.#path, options)
    }
    return this.#thread.ask('open')
  }

  images(kind: ImageKind, keys: string[]): Promise<Map<string, string>> {
    return this.#thread.ask('images', kind, keys)
  }

  segments(streams: string[]): Promise<Map<string, string[]>> {
    return this.#thread.ask('segments', streams)
  }

  due(after: number | null, upTo: number): Promise<string[]> {
    return this.#thread.ask('due', after, upTo)
  }

  fingerprints(hashes: BigUint64Array): Promise<Map<bigint, bigint>> {
    return this.#thread.ask('fingerprints', hashes)
  }

  landed(eventIds: string[], hashes: BigUint64Array): Promise<LandedContent[]> {
    return this.#thread.ask('landed', eventIds, hashes)
  }

  deadLetters(ids: string[]): Promise<Set<string>> {
    return this.#thread.ask('deadLetters', ids)
  }

  outbox(ids: string[]): Promise<Map<string, EffectFate>> {
    return this.#thread.ask('outbox', ids)
  }

  commit(commit: Commit): Promise<void> {
    return this.#thread.ask('commit', packedTables(commit).packed)
  }

  /** One part is written while `work` makes the next. */
  async load(work: (loading: Loading) => Promise<void>): Promise<void> {
    const thread = this.#thread
    await thread.ask('beginLoad')
    let last = Promise.resolve()
    const add = async (part: Commit) => {
      await last
      last = thread.ask('addPart', packedTables(part).packed)
      last.catch(() => undefined)
    }
    try {
      await work({
        add,
        landed: (eventIds, hashes) => thread.ask('landedInLoad', eventIds, hashes),
        deadLetters: (ids) => thread.ask('deadLettersInLoad', ids),
      })
      await last
    } catch (thrown) {
      await thread.ask('endLoad', false).catch(() => undefined)
      throw thrown
    }
    await thread.ask('endLoad', true)
  }

  erase(): Promise<ErasedRows> {
    return Promise.reject(new Error('broken invariant: a run does not erase'))
  }

  takeOver(): Promise<void> {
    return Promise.reject(new Error('broken invariant: a run does not take over'))
  }

  append(table: AppendedName, rows: Table, recordedAt: number): Promise<void> {
    return this.#thread.ask('append', table, new TablePacker().pack(rows), recordedAt)
  }

  unapplied(bounds: { messagesMax: number; bytesMax: number }): Promise<LandedMessage[]> {
    return this.#thread.ask('unapplied', bounds)
  }

  asOf(view: string, instant: number): string {
    return asOf(view, instant)
  }

  query(sql: string, parameters?: (string | number | null)[]): Promise<Row[]> {
    return this.#thread.ask('query', sql, parameters)
  }

  async *stream(sql: string, parameters?: (string | number | null)[]): AsyncGenerator<Row[]> {
    const thread = this.#thread
    const read = (this.#longReads += 1)
    try {
      for (;;) {
        const rows = await thread.ask('nextRows', read, sql, parameters)
        if (rows === null) return
        yield rows
      }
    } finally {
      await thread.ask('endRows', read)
    }
  }

  async close(): Promise<void> {
    const thread = this.#opened
    if (thread === null) return
    this.#opened = null
    try {
      await thread.ask('close')
    } finally {
      if (this.#shared === null) await thread.close()
    }
  }
}
