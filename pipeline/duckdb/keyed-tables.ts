/**
 * Tables that are read back by key: the images, and the history of streams. Rows are in the order
 * of being written, which is that of their row ids; of an image the last counts.
 *
 * A key that was never stored is known by a filter and costs nothing. The others are found by
 * scanning their hashes, 64 bits a row, and only the pages that have one of them are read (see
 * `PAGES_FILTERED` of `duckdb-file.ts`). A page is 2,048 rows, whose texts are read whole: it is
 * their length that a look-up costs. There is no index: DuckDB keeps one in memory whole, and
 * pins a block for every row that it finds by it.
 */

import type { Table } from 'apache-arrow'
import { keyTable } from '../warehouse/arrow.ts'
import { IMAGE_TABLES, imageTable } from '../warehouse/image-tables.ts'
import type { DuckDBFile } from './file.ts'
import { compactStatements } from './stored-tables.ts'
import { hashes64 } from '../base/hash.ts'
import { KeyFilter } from './bloom-filter.ts'
import { IMAGE_KINDS, type ImageKind, type Row } from '../warehouse/warehouse.ts'

/** An image log is compacted when it has this many times its live keys, and so many rows. */
const IMAGE_SURPLUS = 4
const IMAGE_ROWS_MIN = 50_000

type ImageLog = { rows: number; compactAt: number; filter: KeyFilter | null }

export class KeyedTables {
  readonly #file: DuckDBFile
  readonly #writer: DuckDBFile
  readonly #logs = new Map<ImageKind, ImageLog>()

  private constructor(file: DuckDBFile, writer: DuckDBFile) {
    this.#file = file
    this.#writer = writer
  }

  /** `file` has the temporary tables of what is looked up; what piles up is tidied by `writer`. */
  static async open(file: DuckDBFile, writer: DuckDBFile): Promise<KeyedTables> {
    const tables = new KeyedTables(file, writer)
    const counts = await file.counts(IMAGE_TABLES)
    for (const kind of IMAGE_KINDS) {
      const rows = counts.get(imageTable(kind)) ?? 0
      tables.#logs.set(kind, { rows, compactAt: IMAGE_ROWS_MIN, filter: null })
    }
    return tables
  }

  /** The latest image of each key that has one: rows with `key` and `image`. */
  async images(kind: ImageKind, keys: string[]): Promise<Row[]> {
    const table = imageTable(kind)
    const mayHave = (await this.#filter(kind)).mayHave(hashes64(keys))
    const stored = keys.filter((_, i) => mayHave[i])
    if (stored.length === 0) return []
    const hashes = hashes64(stored)
    await this.#file.refill('wanted', keyTable(hashes, stored))
    const rows = await this.#file.query(
      `select key, image from ${table} where rowid in (
         select max(${table}.rowid) from ${table} semi join wanted on wanted.k = ${table}.k
         group by k)`,
    )
    const wanted = new Set(stored)
    const isShared = new Set(hashes).size < stored.length
    if (!isShared && rows.every((row) => wanted.has(row['key'] as string))) return rows
    // Keys that share a hash are told apart by their texts, which takes reading all of theirs.
    return this.#file.query(
      `select wanted.key, max_by(image, ${table}.rowid) as image from ${table}
       inner join wanted on wanted.k = ${table}.k and wanted.key = ${table}.key
       group by wanted.key`,
    )
  }

  /**
   * History segments of streams in commit order, up to and without a batch: rows with `stream` and
   * `segment`. The batch is left out and the order made here and not by the query. While a batch is
   * being committed, its rows are visible before the column statistics include them, and DuckDB
   * trusts those: it drops a condition that they say always holds. A sort in SQL once returned a
   * segment of a commit in progress as well; packing by the same statistics is the likely cause.
   */
  async segments(streams: string[], before: number): Promise<Row[]> {
    await this.#file.refill('wanted', keyTable(hashes64(streams), streams))
    const rows = await this.#file.query(
      `select stream, segment, recorded_by, rowid from history where rowid in (
         select history.rowid from history semi join wanted on wanted.k = history.k)`,
    )
    rows.sort((a, b) => (a['rowid'] as number) - (b['rowid'] as number))
    const wanted = new Set(streams)
    return rows.filter(
      (row) => (row['recorded_by'] as number) < before && wanted.has(row['stream'] as string),
    )
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
    const [count] = await this.#writer.query(
      `select approx_count_distinct(k) as keys from ${table}`,
    )
    const keys = count?.['keys'] as number
    if (log.rows > IMAGE_SURPLUS * keys) {
      this.#writer.dropAppenders()
      await this.#writer.transaction(async () => {
        for (const statement of compactStatements(table)) await this.#writer.run(statement)
      })
      log.rows = keys
    }
    log.compactAt = Math.max(IMAGE_ROWS_MIN, IMAGE_SURPLUS * keys)
  }

  /** Made when first asked for: a run over a new file never asks. Images that are committed while
   * it is being filled are added by `settle`. */
  async #filter(kind: ImageKind): Promise<KeyFilter> {
    const log = this.#logs.get(kind) as ImageLog
    if (log.filter !== null) return log.filter
    const filter = new KeyFilter()
    log.filter = filter
    try {
      for await (const hashes of this.#file.stream(`select distinct k from ${imageTable(kind)}`)) {
        filter.add(BigUint64Array.from(hashes as bigint[]))
      }
    } catch (thrown) {
      log.filter = null
      throw thrown
    }
    return filter
  }
}
