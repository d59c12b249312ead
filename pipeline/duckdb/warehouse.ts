/**
 * Embedded warehouse: one DuckDB file.
 *
 * A commit only appends. Maintenance runs outside of batches, each step in its own transaction and
 * safe to lose: pending rows are folded into their tables, and image logs are compacted to the
 * latest image of each key.
 */

import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { Table } from 'apache-arrow'
import type { DuckDBFile } from './file.ts'
import { RUNNING, type Means } from './resource-limits.ts'
import { DamagedFile } from './engine-errors.ts'
import { eraseRows } from './erase.ts'
import { appendCommit, loadParts } from './load-parts.ts'
import { DuckDBLookups } from './lookups.ts'
import { removeEraseMark, setEraseMark } from './erase-mark.ts'
import { planErasure } from './plan-erasure.ts'
import { openToRead, openToWrite, unfinished } from './open-and-recover.ts'
import { removeFile, rewritten } from './rewrite-file.ts'
import { DuckDBTakeover } from './takeover.ts'
import { makeSchema } from './make-schema.ts'
import { SEARCH_PATH, storageOf } from './stored-tables.ts'
import { assert } from '../base/errors.ts'
import { NO_HEAD, noWarehouse, readHead } from '../warehouse/head.ts'
import type { AppendedName } from '../warehouse/tables.ts'
import { UnderWay } from './pending-commit.ts'
import { PendingRows } from './pending-rows.ts'
import { UNAPPLIED } from './unapplied.ts'
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
  Loading,
  ReadCounts,
  Row,
  RowCounts,
  Takeover,
  Warehouse,
} from '../warehouse/warehouse.ts'

export type DuckDBOptions = {
  means?: Means
  ifMissing?: IfMissing
  /** Whether the file is opened for reading. Nothing on disk changes then, unless the file has an
   * earlier schema. */
  isReader?: boolean
  /** Whether everything in the file can be derived again: a damaged file is then replaced by a new
   * one. A process that dies while it creates a file leaves a damaged one. */
  isScratch?: boolean
  /** Called with one line about an erasure that is unfinished, was completed or was reverted. */
  onNotice?: (notice: string) => void
}

/** Returns the warehouse at a path. `:memory:` is always created. Nothing is opened before `open`. */
export function duckdbWarehouse(path: string, options: DuckDBOptions = {}): Warehouse {
  return new DuckDBWarehouse(path, options)
}

type Opened = { file: DuckDBFile; lookups: DuckDBLookups }

class DuckDBWarehouse implements Warehouse {
  readonly url: string
  readonly reads: ReadCounts = { images: 0, segments: 0, timers: 0, landed: 0 }
  readonly answersMeanwhile = true
  readonly isRemote = false
  readonly #path: string
  readonly #means: Means
  readonly #ifMissing: IfMissing
  readonly #onNotice: (notice: string) => void
  readonly #isScratch: boolean
  #isReader: boolean
  #opened: Opened | null = null
  #head: Head = NO_HEAD
  readonly #pending = new PendingRows()

  constructor(path: string, options: DuckDBOptions) {
    const { means = RUNNING, ifMissing = 'make', isReader = false, isScratch = false } = options
    const isMemory = path === ':memory:'
    this.#path = path
    this.#means = means
    this.#ifMissing = isMemory ? 'make' : ifMissing
    this.#isReader = isReader && !isMemory
    this.#isScratch = isScratch
    this.#onNotice = options.onNotice ?? (() => undefined)
    this.url = `duckdb:${path}`
  }

  get #open(): Opened {
    assert(this.#opened !== null, 'the warehouse is open')
    return this.#opened
  }

  async open(): Promise<Head> {
    if (this.#opened === null) {
      if (this.#ifMissing === 'refuse' && !existsSync(this.#path)) throw noWarehouse(this.url)
      const file = await this.#openFile()
      await this.#use(file)
      await this.#pending.count(file)
    }
    this.#head = await readHead((sql) => this.query(sql))
    return this.#head
  }

  /** Opens the file. A reader of a file with an earlier schema opens it for writing, to migrate it. */
  async #openFile(): Promise<DuckDBFile> {
    const opening = { path: this.#path, means: this.#means, onNotice: this.#onNotice }
    const read = this.#isReader ? await openToRead(opening) : null
    this.#isReader = read !== null
    if (read !== null) return read
    const write = () =>
      openToWrite(opening, (file) => makeSchema(file, this.#path, this.#ifMissing))
    return write().catch(async (thrown: unknown) => {
      if (!this.#isScratch || !(thrown instanceof DamagedFile)) throw thrown
      await removeFile(this.#path)
      return write()
    })
  }

  async #use(file: DuckDBFile): Promise<void> {
    await file.search(SEARCH_PATH)
    this.#opened = { file, lookups: await DuckDBLookups.open(file, this.reads) }
  }

  images(kind: ImageKind, keys: string[]): Promise<Map<string, string>> {
    return this.#open.lookups.images(kind, keys)
  }

  segments(streams: string[]): Promise<Map<string, string[]>> {
    return this.#open.lookups.segments(streams)
  }

  due(after: number | null, upTo: number): Promise<string[]> {
    return this.#open.lookups.due(after, upTo)
  }

  fingerprints(hashes: BigUint64Array): Promise<Map<bigint, bigint>> {
    return this.#open.lookups.fingerprints(hashes)
  }

  landed(eventIds: string[], hashes: BigUint64Array): Promise<LandedContent[]> {
    return this.#open.lookups.landed(eventIds, hashes)
  }

  deadLetters(ids: string[]): Promise<Set<string>> {
    return this.#open.lookups.deadLetters(ids)
  }

  outbox(ids: string[]): Promise<Map<string, EffectFate>> {
    return this.#open.lookups.outbox(ids)
  }

  commit(commit: Commit): Promise<void> {
    const done = this.#commit(commit)
    this.#open.lookups.begin(new UnderWay(commit, done))
    return done
  }

  async #commit(commit: Commit): Promise<void> {
    await this.#apply(commit, async () => undefined)
    await this.#open.lookups.settle(commit.images)
    for (const [table, rows] of commit.supersedes) {
      await this.#pending.add(this.#open.file, table, rows.numRows)
    }
  }

  async takeOver(takeover: Takeover, decide: (counts: RowCounts) => Commit | null): Promise<void> {
    const { file } = this.#open
    const taking = new DuckDBTakeover(file, takeover)
    try {
      const commit = decide(await taking.begin())
      if (commit === null) return
      await this.#apply(commit, async () => {
        file.dropAppenders()
        await taking.apply(commit.batch, commit.recordedAt)
      })
      this.#open.lookups.close()
      await this.#use(file)
      for (const [table, count] of taking.waiting()) await this.#pending.add(file, table, count)
    } finally {
      await taking.end()
    }
  }

  async load(work: (loading: Loading) => Promise<void>): Promise<void> {
    const { file } = this.#open
    const { last, superseded } = await loadParts(file, work, (part) => this.#expectNext(part))
    if (last !== null) this.#advance(last)
    // The lookups count and filter what is stored.
    this.#open.lookups.close()
    await this.#use(file)
    for (const [table, count] of superseded) await this.#pending.add(file, table, count)
  }

  /** Applies the commit, then `more`, in one transaction. */
  async #apply(commit: Commit, more: () => Promise<void>): Promise<void> {
    this.#expectNext(commit)
    const { file } = this.#open
    await file.transaction(async () => {
      await appendCommit(file, commit)
      await more()
    })
    this.#advance(commit)
  }

  #expectNext({ batch, recordedAt }: Commit): void {
    assert(batch === this.#head.batch + 1, 'batches are numbered without a gap')
    assert(recordedAt > this.#head.recordedAt, 'recorded_at only grows')
  }

  #advance({ batch, recordedAt }: Commit): void {
    this.#head = { ...this.#head, batch, recordedAt }
  }

  async erase(
    commit: Commit,
    erasure: Erasure,
    certificate: (counts: ErasedRows) => Table,
    isPlan: boolean,
  ): Promise<ErasedRows> {
    const { file } = this.#open
    if (isPlan) return planErasure(file, commit, erasure)
    const { batch } = commit
    let counts: ErasedRows = {}
    // A local state store may contain the person. It is removed first, because it can be rebuilt.
    await rm(`${this.#path}.state`, { recursive: true, force: true })
    await setEraseMark(this.#path, { phase: 'erasing', batch })
    try {
      await this.#apply(commit, async () => {
        counts = await eraseRows(file, batch, erasure)
        const stamp = [BigInt(commit.recordedAt), BigInt(batch)]
        await file.append(storageOf('erasures'), certificate(counts), stamp)
      })
    } catch (thrown) {
      // If the file cannot be read any more, the next writer decides by the mark.
      const head = await readHead((sql) => this.query(sql)).catch(() => null)
      if (head !== null && head.batch < batch) await removeEraseMark(this.#path)
      throw thrown
    }
    this.#pending.clear()
    this.#open.lookups.close()
    const next = await rewritten(file, this.#path, this.#means, batch).catch(async (thrown) => {
      await this.#use(file)
      throw unfinished(this.#path, thrown)
    })
    await this.#use(next)
    return counts
  }

  append(table: AppendedName, rows: Table, recordedAt: number): Promise<void> {
    const { file } = this.#open
    return file.transaction(() => file.append(storageOf(table), rows, [BigInt(recordedAt), null]))
  }

  async unapplied(bounds: { messagesMax: number; bytesMax: number }): Promise<LandedMessage[]> {
    const rows = await this.query(UNAPPLIED, [bounds.bytesMax, bounds.messagesMax])
    return rows as LandedMessage[]
  }

  asOf(view: string, instant: number): string {
    return `${view}_as_of(make_timestamptz(${instant}))`
  }

  query(sql: string, parameters: (string | number | null)[] = []): Promise<Row[]> {
    return this.#open.file.query(sql, parameters)
  }

  stream(sql: string, parameters: (string | number | null)[] = []): AsyncIterable<Row[]> {
    return this.#open.file.rows(sql, parameters)
  }

  async close(): Promise<void> {
    if (this.#opened === null) return
    if (!this.#isReader) await this.#pending.foldOnClose(this.#opened.file)
    this.#opened.lookups.close()
    this.#opened.file.close()
    this.#opened = null
  }
}
