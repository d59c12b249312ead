/**
 * Warehouse of a worker thread: its methods with arguments and results that can be posted. Commits
 * come packed, and what has callbacks (a load, a long read) is several calls.
 */

import { assert } from '../../base/errors.ts'
import { unpackedTables, type Packed } from '../../warehouse/arrow/packed-tables.ts'
import type {
  Commit,
  EffectFate,
  Head,
  ImageKind,
  LandedContent,
  LandedMessage,
  Loading,
  ReadCounts,
  Row,
  Warehouse,
} from '../../warehouse/warehouse.ts'
import type { AppendedName } from '../../warehouse/tables.ts'
import { TableUnpacker, type PackedTable } from '../../warehouse/arrow/arrow-thread.ts'
import { duckdbWarehouse, type DuckDBOptions } from '../warehouse.ts'

/** A load that has begun: its last call, and functions that end it. */
type OpenLoad = {
  loading: Loading
  last: Promise<unknown>
  complete(): void
  stop(reason: Error): void
}

type Parameters = (string | number | null)[] | undefined

export class ServedWarehouse {
  readonly #onNotice: (notice: string) => void
  #made: Warehouse | null = null
  #load: OpenLoad | null = null
  #loaded: Promise<void> = Promise.resolve()
  readonly #reads = new Map<number, AsyncIterator<Row[]>>()

  constructor(onNotice: (notice: string) => void) {
    this.#onNotice = onNotice
  }

  get #warehouse(): Warehouse {
    assert(this.#made !== null, 'the warehouse of the thread is made')
    return this.#made
  }

  /** Rows read since `make`. */
  get reads(): ReadCounts | null {
    return this.#made?.reads ?? null
  }

  make(path: string, options: Omit<DuckDBOptions, 'onNotice'>): void {
    this.#made = duckdbWarehouse(path, { ...options, onNotice: this.#onNotice })
  }

  open(): Promise<Head> {
    return this.#warehouse.open()
  }

  images(kind: ImageKind, keys: string[]): Promise<Map<string, string>> {
    return this.#warehouse.images(kind, keys)
  }

  segments(streams: string[]): Promise<Map<string, string[]>> {
    return this.#warehouse.segments(streams)
  }

  due(after: number | null, upTo: number): Promise<string[]> {
    return this.#warehouse.due(after, upTo)
  }

  fingerprints(hashes: BigUint64Array): Promise<Map<bigint, bigint>> {
    return this.#warehouse.fingerprints(hashes)
  }

  landed(eventIds: string[], hashes: BigUint64Array): Promise<LandedContent[]> {
    return this.#warehouse.landed(eventIds, hashes)
  }

  deadLetters(ids: string[]): Promise<Set<string>> {
    return this.#warehouse.deadLetters(ids)
  }

  outbox(ids: string[]): Promise<Map<string, EffectFate>> {
    return this.#warehouse.outbox(ids)
  }

  commit(packed: Packed<Commit>): Promise<void> {
    return this.#warehouse.commit(unpackedTables<Commit>(packed))
  }

  /** Begins a load. Ends with `endLoad`. */
  beginLoad(): Promise<void> {
    const { load } = this.#warehouse
    assert(load !== undefined, 'the warehouse can load')
    return new Promise((resolve, reject) => {
      const work = (loading: Loading) =>
        new Promise<void>((complete, stop) => {
          this.#load = { loading, last: Promise.resolve(), complete, stop }
          resolve()
        })
      this.#loaded = load.call(this.#warehouse, work)
      this.#loaded.catch(reject)
    })
  }

  addPart(packed: Packed<Commit>): Promise<void> {
    return this.#inLoad((loading) => loading.add(unpackedTables<Commit>(packed)))
  }

  landedInLoad(eventIds: string[], hashes: BigUint64Array): Promise<LandedContent[]> {
    return this.#inLoad((loading) => loading.landed(eventIds, hashes))
  }

  deadLettersInLoad(ids: string[]): Promise<Set<string>> {
    return this.#inLoad((loading) => loading.deadLetters(ids))
  }

  /** Commits the parts, or drops them all. */
  async endLoad(isComplete: boolean): Promise<void> {
    assert(this.#load !== null, 'a load has begun')
    const { last, complete, stop } = this.#load
    this.#load = null
    await last.catch(() => undefined)
    if (isComplete) complete()
    else stop(new Error('the load was stopped'))
    await this.#loaded
  }

  /** Calls of a load run one after another, so that lookups include the parts before them. */
  #inLoad<Result>(work: (loading: Loading) => Promise<Result>): Promise<Result> {
    const load = this.#load
    assert(load !== null, 'a load has begun')
    const result = load.last.then(() => work(load.loading))
    load.last = result
    return result
  }

  append(table: AppendedName, rows: PackedTable, recordedAt: number): Promise<void> {
    return this.#warehouse.append(table, new TableUnpacker().unpack(rows), recordedAt)
  }

  unapplied(bounds: { messagesMax: number; bytesMax: number }): Promise<LandedMessage[]> {
    return this.#warehouse.unapplied(bounds)
  }

  query(sql: string, parameters: Parameters): Promise<Row[]> {
    return this.#warehouse.query(sql, parameters)
  }

  /** Returns the next rows of a long read, or null at its end. */
  async nextRows(read: number, sql: string, parameters: Parameters): Promise<Row[] | null> {
    let rows = this.#reads.get(read)
    if (rows === undefined) {
      rows = this.#warehouse.stream(sql, parameters)[Symbol.asyncIterator]()
      this.#reads.set(read, rows)
    }
    const { done, value } = await rows.next()
    return done === true ? null : value
  }

  async endRows(read: number): Promise<void> {
    await this.#reads.get(read)?.return?.()
    this.#reads.delete(read)
  }

  close(): Promise<void> {
    return this.#warehouse.close()
  }
}
