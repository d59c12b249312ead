/**
 * Tables that are read by key: images and the history of streams. Rows are in write order, which is
 * the order of their row ids; the last image of a key counts.
 *
 * A Bloom filter excludes keys that were never stored, without a read. Other keys are found by
 * scanning their hashes, 64 bits per row; only pages that contain one of them are read (see
 * `PAGES_FILTERED` in `file.ts`). A page has 2,048 rows whose texts are read whole, so their length
 * determines the cost of a lookup. The tables have no index, because DuckDB keeps indexes in memory and
 * pins a block per row found.
 */

import type { Table } from 'apache-arrow'
import { keyTable } from '../warehouse/arrow/arrow.ts'
import { IMAGE_TABLES, imageTable } from '../warehouse/image-tables.ts'
import type { DuckDBFile } from './file.ts'
import { compactStatements } from './stored-tables.ts'
import { hashes64, wordsOf } from '../base/hash.ts'
import { BloomFilter } from '../base/bloom-filter.ts'
import { IMAGE_KINDS, type ImageKind, type Row } from '../warehouse/warehouse.ts'

/** An image log is compacted when it has this many rows per live key, and a minimum of rows. */
const IMAGE_SURPLUS = 4
const IMAGE_ROWS_MIN = 50_000
/** Growth of an image log between two counts of its keys. Counting reads the whole log. */
const GROWTH_COUNTED = 1.25

/** Up to a million keys, one absent key in 230 is looked up in vain. */
const FILTER_WORDS = 2 ** 19
const FILTER_PROBES = 3

type ImageLog = { rows: number; filter: BloomFilter | null }

export class KeyedTables {
  readonly #file: DuckDBFile
  readonly #writer: DuckDBFile
  readonly #logs = new Map<ImageKind, ImageLog>()

  private constructor(file: DuckDBFile, writer: DuckDBFile) {
    this.#file = file
    this.#writer = writer
  }

  /** Opens the tables. `file` has the temporary lookup tables; `writer` compacts. */
  static async open(file: DuckDBFile, writer: DuckDBFile): Promise<KeyedTables> {
    const tables = new KeyedTables(file, writer)
    const counts = await file.counts(IMAGE_TABLES)
    for (const kind of IMAGE_KINDS) {
      const rows = counts.get(imageTable(kind)) ?? 0
      tables.#logs.set(kind, { rows, filter: null })
    }
    return tables
  }

  /** Returns the latest image of each key: rows with `key` and `image`. */
  async images(kind: ImageKind, keys: string[]): Promise<Row[]> {
    const table = imageTable(kind)
    const filter = await this.#filter(kind)
    const words = wordsOf(hashes64(keys))
    const stored = keys.filter((_, i) => {
      return filter.mayHave(words[2 * i] as number, words[2 * i + 1] as number)
    })
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
    // Keys that share a hash are distinguished by their texts, which requires reading all of them.
    return this.#file.query(
      `select wanted.key, max_by(image, ${table}.rowid) as image from ${table}
       inner join wanted on wanted.k = ${table}.k and wanted.key = ${table}.key
       group by wanted.key`,
    )
  }

  /**
   * Returns history segments of streams in commit order, before a batch: rows with `stream` and
   * `segment`. The batch is filtered and the order made here instead of in the query. During a
   * commit, new rows are visible before the column statistics include them. DuckDB trusts the
   * statistics and drops a condition that seems to hold always. A sort in SQL once returned a
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

  /** Must be called after images are committed. */
  async settle(kind: ImageKind, images: Table): Promise<void> {
    const log = this.#logs.get(kind) as ImageLog
    if (log.filter !== null) addAll(log.filter, images.getChild('k')?.toArray() as BigUint64Array)
    const before = growthOf(log.rows)
    log.rows += images.numRows
    if (growthOf(log.rows) > before) await this.#compact(kind, log)
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
  }

  /** Returns the filter of a kind. Built on first use, because a run over a new file never needs
   * it. `settle` adds images that are committed meanwhile. */
  async #filter(kind: ImageKind): Promise<BloomFilter> {
    const log = this.#logs.get(kind) as ImageLog
    if (log.filter !== null) return log.filter
    const filter = new BloomFilter(new Uint32Array(FILTER_WORDS), FILTER_PROBES)
    log.filter = filter
    try {
      for await (const hashes of this.#file.stream(`select distinct k from ${imageTable(kind)}`)) {
        addAll(filter, BigUint64Array.from(hashes as bigint[]))
      }
    } catch (thrown) {
      log.filter = null
      throw thrown
    }
    return filter
  }
}

function addAll(filter: BloomFilter, hashes: BigUint64Array): void {
  const words = wordsOf(hashes)
  for (let i = 0; i < words.length; i += 2) {
    filter.add(words[i] as number, words[i + 1] as number)
  }
}

/** Returns how often a log has grown by `GROWTH_COUNTED` since it had the minimum of rows; negative
 * before. It depends on the rows only, so processes of one batch count as rarely as one long run. */
function growthOf(rows: number): number {
  return Math.max(-1, Math.floor(Math.log(rows / IMAGE_ROWS_MIN) / Math.log(GROWTH_COUNTED)))
}
