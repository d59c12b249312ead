/**
 * Tables that are read back by key: the images, and the history of streams.
 *
 * A key that was never stored is known by a filter and costs nothing. For the others the numbers of
 * their rows are found by scanning the hash, 64 bits a row, and the rows by the index of numbers.
 * So what a look-up costs depends on what it finds, and hardly on the history.
 */

import type { Table } from 'apache-arrow'
import { keyTable } from './arrow.ts'
import { imageTable } from './commit.ts'
import type { Filling } from './duckdb-append.ts'
import type { DuckDBFile } from './duckdb-file.ts'
import { compactStatements } from './duckdb-schema.ts'
import { hashes64 } from './ids.ts'
import { KeyFilter } from './key-filter.ts'
import { IMAGE_KINDS, type ImageKind, type Row } from './warehouse.ts'

/** An image log is compacted when it has this many times its live keys, and so many rows. */
const IMAGE_SURPLUS = 4
const IMAGE_ROWS_MIN = 50_000

/** DuckDB looks up at most so many numbers of one list in an index; more it scans for. */
const INDEXED_MAX = 2_000

type ImageLog = { rows: number; compactAt: number; filter: KeyFilter | null }

/**
 * Makes sure that the indexes of a file know their rows; before anything else is done to it.
 *
 * After a crash DuckDB replays its log into indexes that it has not loaded, and if nobody asks one
 * of them, the next checkpoint writes it without those rows (DuckDB 1.5; mended in 2.0). Whoever
 * then looks a key up would find that it never was. A row that is begun and taken back loads an
 * index with all that was replayed. If it does not find the last row even so, another program has
 * opened and closed the file after a crash, and the index is made again; so it is for an only row,
 * which DuckDB finds without asking.
 */
export async function mendIndexes(file: DuckDBFile): Promise<void> {
  const indexed = await file.query(
    `select table_name, index_name, sql from duckdb_indexes()
     where index_name = table_name || '_no'`,
  )
  for (const { table_name: table, index_name: index, sql } of indexed) {
    const [row] = await file.query(`select min(no) as first, max(no) as last from ${table}`)
    const [first, last] = [row?.['first'] as number | null, row?.['last'] as number | null]
    if (first === null) continue
    await file.run(`begin; insert into ${table} (no) values (null); rollback`)
    const found = await file.query(`select no from ${table} where no in (${last}, -1)`)
    if (found.length === 1 && first !== last) continue
    await file.transaction(async () => {
      await file.run(`drop index ${index}`)
      await file.run(sql as string)
    })
  }
}

export class KeyedTables {
  readonly #file: DuckDBFile
  /** The number of the next row of each table. */
  readonly #nextNo = new Map<string, number>()
  readonly #logs = new Map<ImageKind, ImageLog>()

  private constructor(file: DuckDBFile) {
    this.#file = file
  }

  static async open(file: DuckDBFile): Promise<KeyedTables> {
    const tables = new KeyedTables(file)
    for (const table of ['history', ...IMAGE_KINDS.map(imageTable)]) {
      const [last] = await file.query(`select coalesce(max(no), 0) as no from ${table}`)
      tables.#nextNo.set(table, (last?.['no'] as number) + 1)
    }
    for (const kind of IMAGE_KINDS) {
      const [count] = await file.query(`select count(*) as rows from ${imageTable(kind)}`)
      const rows = count?.['rows'] as number
      tables.#logs.set(kind, { rows, compactAt: IMAGE_ROWS_MIN, filter: null })
    }
    return tables
  }

  /** Fills the numbers of rows to be appended; nothing when the table has none. Numbers of a batch
   * that fails are not used again: only their order counts. */
  numbering(table: string, rowCount: number): Filling[] {
    const next = this.#nextNo.get(table)
    if (next === undefined) return []
    this.#nextNo.set(table, next + rowCount)
    return [{ countingFrom: BigInt(next) }]
  }

  /** The latest image of each key that has one: rows with `key` and `image`. */
  async images(kind: ImageKind, keys: string[]): Promise<Row[]> {
    const table = imageTable(kind)
    const hashes = hashes64(keys)
    const mayHave = (await this.#filter(kind)).mayHave(hashes)
    const stored = keys.filter((_, i) => mayHave[i])
    if (stored.length === 0) return []
    const rows = await this.#numbered(
      table,
      await this.#numbers('max(no)', table, stored, 'group by k'),
    )
    const wanted = new Set(stored)
    const isShared = new Set(hashes).size < keys.length
    if (!isShared && rows.every((row) => wanted.has(row['key'] as string))) return rows
    // Keys that share a hash are told apart by their texts, which takes reading all of theirs.
    return this.#file.query(
      `select wanted.key, max_by(image, no) as image from ${table}
       inner join wanted on wanted.k = ${table}.k and wanted.key = ${table}.key
       group by wanted.key`,
    )
  }

  /** All history segments of streams in commit order: rows with `stream` and `segment`. */
  async segments(streams: string[]): Promise<Row[]> {
    const numbers = await this.#numbers('no', 'history', streams, '')
    const wanted = new Set(streams)
    const rows = await this.#numbered('history', numbers)
    return rows.filter((row) => wanted.has(row['stream'] as string))
  }

  /** Images have been committed. */
  async settle(kind: ImageKind, images: Table): Promise<void> {
    const log = this.#logs.get(kind) as ImageLog
    log.filter?.add(images.getChild('k')?.toArray() as BigUint64Array)
    log.rows += images.numRows
    if (log.rows > log.compactAt) await this.#compact(kind, log)
  }

  async #compact(kind: ImageKind, log: ImageLog): Promise<void> {
    const table = imageTable(kind)
    const [count] = await this.#file.query(
      `select approx_count_distinct(k) as keys from ${table}`,
    )
    const keys = count?.['keys'] as number
    if (log.rows > IMAGE_SURPLUS * keys) {
      this.#file.dropAppenders()
      await this.#file.transaction(async () => {
        for (const statement of compactStatements(table)) await this.#file.run(statement)
      })
      log.rows = keys
    }
    log.compactAt = Math.max(IMAGE_ROWS_MIN, IMAGE_SURPLUS * keys)
  }

  /** Made when first asked for: a run over a new file never asks. */
  async #filter(kind: ImageKind): Promise<KeyFilter> {
    const log = this.#logs.get(kind) as ImageLog
    if (log.filter !== null) return log.filter
    const filter = new KeyFilter()
    for await (const hashes of this.#file.stream(`select distinct k from ${imageTable(kind)}`)) {
      filter.add(BigUint64Array.from(hashes as bigint[]))
    }
    log.filter = filter
    return filter
  }

  /** Numbers of the rows that have the hash of one of the keys. */
  async #numbers(what: string, table: string, keys: string[], tail: string): Promise<number[]> {
    await this.#file.refill('wanted', keyTable(hashes64(keys), keys))
    const rows = await this.#file.query(
      `select ${what} as no from ${table} semi join wanted on wanted.k = ${table}.k ${tail}`,
    )
    return rows.map((row) => row['no'] as number)
  }

  /** Rows in the order of their numbers. */
  async #numbered(table: string, numbers: number[]): Promise<Row[]> {
    const rows: Row[] = []
    const inOrder = numbers.toSorted((a, b) => a - b)
    for (let from = 0; from < inOrder.length; from += INDEXED_MAX) {
      const list = inOrder.slice(from, from + INDEXED_MAX).join(', ')
      const found = await this.#file.query(
        `select * from ${table} where no in (${list}) order by no`,
      )
      for (const row of found) rows.push(row)
    }
    return rows
  }
}
