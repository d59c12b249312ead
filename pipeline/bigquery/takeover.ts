/**
 * A takeover into BigQuery from a DuckDB file: what is believed there now is read, DuckDB
 * finds what differs, and only that is staged and applied by the script of a commit. With memory,
 * what runs continue from is staged whole, and takes the place of what there was in that script.
 */

import { arrowTable, uuidsFromText, type ColumnData } from '../warehouse/arrow.ts'
import { ENDS, type Beside, type StagedRow, type Target } from './commit.ts'
import { parametersOf, type BigQueryClient } from './client.ts'
import { endsOf, quoted, storageOf } from './schema.ts'
import type { Column } from '../warehouse/column.ts'
import { isImageTable } from '../warehouse/image-tables.ts'
import { contentOf, Difference, theirs } from '../duckdb/difference.ts'
import { DuckDBFile } from '../duckdb/file.ts'
import { REBUILDING } from '../duckdb/resource-limits.ts'
import { KEYED_TABLES, latestImages } from '../duckdb/schema.ts'
import type { At } from '../warehouse/view-sql.ts'
import { TABLES, type TableName, type VersionedName } from '../warehouse/tables.ts'
import { believedText, type Bound, type Taken } from '../warehouse/takeover-sql.ts'
import type { Row, RowCounts, Takeover } from '../warehouse/warehouse.ts'

const MEMORY_TABLES = ['timer', ...KEYED_TABLES] as const

export class BigQueryTakeover {
  readonly #client: BigQueryClient
  readonly #file: DuckDBFile
  readonly #takeover: Takeover
  readonly #difference: Difference

  private constructor(client: BigQueryClient, file: DuckDBFile, takeover: Takeover) {
    this.#client = client
    this.#file = file
    this.#takeover = takeover
    this.#difference = new Difference(file, takeover)
  }

  static async open(client: BigQueryClient, takeover: Takeover): Promise<BigQueryTakeover> {
    return new BigQueryTakeover(client, await DuckDBFile.open(':memory:', REBUILDING), takeover)
  }

  /** Finds what differs. */
  begin(): Promise<RowCounts> {
    return this.#difference.begin((table, taken) => this.#fill(table, taken))
  }

  /** Whatever happened. */
  close(): void {
    this.#file.close()
  }

  /** What goes with the commit. */
  beside(at: At): Beside {
    const versions = [...this.#difference.going.keys()]
    const memory = this.#takeover.hasMemory ? MEMORY_TABLES : []
    return {
      targets: [
        ...[...versions, ...memory].map(targetOf),
        ...versions.map((table) => ({ target: endsOf(table), columns: ENDS })),
      ],
      rows: () => this.#rows(versions, memory),
      statements: ({ batch }) =>
        memory.map((table) => `delete from ${at(table)} where recorded_by < ${batch}`),
    }
  }

  async *#rows(versions: VersionedName[], memory: readonly TableName[]): AsyncGenerator<StagedRow> {
    for (const table of versions) {
      yield* this.#texts(storageOf(table), TABLES[table].columns, `coming_${table}`)
      const ends = `(select *, 'rebuilt' as superseded_because from going_${table})`
      yield* this.#texts(endsOf(table), ENDS, ends)
    }
    for (const table of memory) {
      const rows = isImageTable(table) ? `(${latestImages(theirs(table))})` : theirs(table)
      yield* this.#texts(table, TABLES[table].columns, rows)
    }
  }

  /** Rows of DuckDB as they are staged. */
  async *#texts(
    target: string,
    columns: readonly Column[],
    rows: string,
  ): AsyncGenerator<StagedRow> {
    const texts = columns.map(({ name, type }) => TEXTS[type]?.(name) ?? `cast(${name} as varchar)`)
    const sql = `select cast(to_json([${texts.join(', ')}]) as varchar) from ${rows}`
    for await (const contents of this.#file.stream(sql)) {
      for (const content of contents) yield { target, content: content as string }
    }
  }

  /** Copies what a table has now of what is taken into DuckDB. */
  async #fill(table: VersionedName, taken: Taken): Promise<void> {
    const columns: readonly Column[] = TABLES[table].columns
    const names = columns.map(({ name }) => name).join(', ')
    await this.#file.run(
      `create or replace temp table given as select ${names} from ${theirs(table)} where false`,
    )
    const selected = columns.map(({ name, type }) =>
      type === 'hash64' ? `cast(${quoted(name)} as string) as ${quoted(name)}` : quoted(name),
    )
    const values: (string | number)[] = []
    const bound: Bound = (value) => `@p${values.push(value)}`
    const ours = believedText(table, selected.join(', '), taken, bound)
    const pages = this.#client.pages('read', ours, parametersOf(values))
    for await (const rows of pages) {
      const data = columns.map((column) => [column.name, dataOf(column, rows)] as const)
      await this.#file.append('given', arrowTable(table, Object.fromEntries(data), rows.length))
    }
    this.#file.dropAppenders()
    await this.#file.run(
      `create or replace temp table ours as select ${contentOf(table)} from given`,
    )
    await this.#file.run('drop table given')
  }
}

/** A value as it is staged, where its own text is not. BigQuery's integers are signed. */
const TEXTS: { [T in Column['type']]?: (name: string) => string } = {
  instant: (name) => `cast(epoch_us(${name}) as varchar)`,
  hash64: (name) =>
    `cast(${name}::hugeint - if(${name} >> 63 = 1, 18446744073709551616::hugeint, 0) as varchar)`,
}

function targetOf(table: TableName): Target {
  return { target: storageOf(table), columns: TABLES[table].columns }
}

/** The values of a column, as BigQuery gives them. */
function dataOf({ name, type }: Column, rows: Row[]): ColumnData {
  const values = rows.map((row) => row[name] as string | number | boolean | null)
  if (type === 'hash64') {
    return BigUint64Array.from(values, (value) => BigInt.asUintN(64, BigInt(value as string)))
  }
  if (type !== 'uuid') return values
  const isNull = Uint8Array.from(values, (value) => (value === null ? 1 : 0))
  return { ...uuidsFromText(values.map((value) => (value ?? NIL) as string)), isNull }
}

const NIL = '00000000-0000-0000-0000-000000000000'
