/** Comparison of recomputed tables in a DuckDB file with a remote warehouse, in bounded memory. */

import { contentOf, Difference, theirs } from './difference.ts'
import { DuckDBFile } from './file.ts'
import { REBUILDING } from './resource-limits.ts'
import { latestImages } from './stored-tables.ts'
import type { Column } from '../warehouse/column.ts'
import { isImageTable } from '../warehouse/image-tables.ts'
import type { ReadCurrent, RemoteDifference } from '../warehouse/remote-difference.ts'
import { TABLES, type TableName, type VersionedName } from '../warehouse/tables.ts'
import type { Taken } from '../warehouse/takeover-sql.ts'
import type { RowCounts, Takeover } from '../warehouse/warehouse.ts'

/** Opens a comparison that keeps its working tables in memory and spills to disk. */
export async function openRemoteDifference(takeover: Takeover): Promise<RemoteDifference> {
  return new DuckDBRemoteDifference(await DuckDBFile.open(':memory:', REBUILDING), takeover)
}

class DuckDBRemoteDifference implements RemoteDifference {
  readonly #file: DuckDBFile
  readonly #difference: Difference

  constructor(file: DuckDBFile, takeover: Takeover) {
    this.#file = file
    this.#difference = new Difference(file, takeover)
  }

  compare(readCurrent: ReadCurrent): Promise<RowCounts> {
    return this.#difference.begin((table, taken) => this.#load(table, taken, readCurrent))
  }

  tables(): VersionedName[] {
    return [...this.#difference.going.keys()]
  }

  coming(table: VersionedName): AsyncIterable<string[]> {
    return this.#texts(TABLES[table].columns, `coming_${table}`)
  }

  going(table: VersionedName): AsyncIterable<string[]> {
    const columns = [TABLES[table].columns[0], SUPERSEDED_BECAUSE]
    return this.#texts(columns, `(select *, 'rebuilt' as superseded_because from going_${table})`)
  }

  state(table: TableName): AsyncIterable<string[]> {
    const rows = isImageTable(table) ? `(${latestImages(theirs(table))})` : theirs(table)
    return this.#texts(TABLES[table].columns, rows)
  }

  close(): void {
    this.#file.close()
  }

  /** Fills the temporary table `ours` with key and content of the remote rows. */
  async #load(table: VersionedName, taken: Taken, readCurrent: ReadCurrent): Promise<void> {
    const names = TABLES[table].columns.map(({ name }) => name).join(', ')
    await this.#file.run(
      `create or replace temp table given as select ${names} from ${theirs(table)} where false`,
    )
    for await (const rows of readCurrent(table, taken)) await this.#file.append('given', rows)
    this.#file.dropAppenders()
    await this.#file.run(
      `create or replace temp table ours as select ${contentOf(table)} from given`,
    )
    await this.#file.run('drop table given')
  }

  async *#texts(columns: readonly Column[], rows: string): AsyncGenerator<string[]> {
    const texts = columns.map(({ name, type }) => TEXTS[type]?.(name) ?? `cast(${name} as varchar)`)
    const sql = `select cast(to_json([${texts.join(', ')}]) as varchar) from ${rows}`
    for await (const contents of this.#file.stream(sql)) yield contents as string[]
  }
}

const SUPERSEDED_BECAUSE: Column = { name: 'superseded_because', type: 'text' }

/** Text of the types that differ from DuckDB's own: instants in microseconds, hashes signed. */
const TEXTS: { [T in Column['type']]?: (name: string) => string } = {
  instant: (name) => `cast(epoch_us(${name}) as varchar)`,
  hash64: (name) =>
    `cast(${name}::hugeint - if(${name} >> 63 = 1, 18446744073709551616::hugeint, 0) as varchar)`,
}
