/**
 * Takeover of recomputed tables by a dataset. Current rows are read and compared beside the
 * recomputed tables; only the difference is staged and applied by the script of a commit. A
 * takeover of state stages the state tables whole; they replace the old ones in the same script.
 */

import { arrowTable, uuidsFromText } from '../warehouse/arrow/arrow.ts'
import type { ColumnData } from '../warehouse/arrow/pack.ts'
import { ENDS, type Beside, type StagedRow, type Target } from './commit.ts'
import type { BigQueryClient } from './client.ts'
import { parametersOf } from './wire-values.ts'
import { endsOf, quoted, storageOf } from './schema.ts'
import type { Column } from '../warehouse/column.ts'
import type { RemoteDifference } from '../warehouse/remote-difference.ts'
import { TABLES, type TableName, type VersionedName } from '../warehouse/tables.ts'
import { binderOf } from '../warehouse/parameters.ts'
import { believedText, type Taken } from '../warehouse/takeover-sql.ts'
import type { At } from '../warehouse/view-sql.ts'
import type { Row, RowCounts, Takeover } from '../warehouse/warehouse.ts'
import type { Table } from 'apache-arrow'

export class BigQueryTakeover {
  readonly #client: BigQueryClient
  readonly #takeover: Takeover
  readonly #difference: RemoteDifference

  private constructor(client: BigQueryClient, takeover: Takeover, difference: RemoteDifference) {
    this.#client = client
    this.#takeover = takeover
    this.#difference = difference
  }

  static async open(client: BigQueryClient, takeover: Takeover): Promise<BigQueryTakeover> {
    return new BigQueryTakeover(client, takeover, await takeover.openDifference(takeover))
  }

  /** Compares. Returns how many rows the takeover inserts and supersedes. */
  begin(): Promise<RowCounts> {
    return this.#difference.compare((table, taken) => this.#current(table, taken))
  }

  close(): void {
    this.#difference.close()
  }

  /** Rows and statements that go with the commit. */
  beside(at: At): Beside {
    const versions = this.#difference.tables()
    const { state } = this.#takeover
    return {
      targets: [
        ...[...versions, ...state].map(targetOf),
        ...versions.map((table) => ({ target: endsOf(table), columns: ENDS })),
      ],
      rows: () => this.#rows(versions, state),
      statements: ({ batch }) =>
        state.map((table) => `delete from ${at(table)} where recorded_by < ${batch}`),
    }
  }

  async *#rows(versions: VersionedName[], state: readonly TableName[]): AsyncGenerator<StagedRow> {
    for (const table of versions) {
      yield* staged(storageOf(table), this.#difference.coming(table))
      yield* staged(endsOf(table), this.#difference.going(table))
    }
    for (const table of state) yield* staged(table, this.#difference.state(table))
  }

  /** Yields the current rows of a table that the takeover affects. */
  async *#current(table: VersionedName, taken: Taken): AsyncGenerator<Table> {
    const columns: readonly Column[] = TABLES[table].columns
    const selected = columns.map(({ name, type }) =>
      type === 'hash64' ? `cast(${quoted(name)} as string) as ${quoted(name)}` : quoted(name),
    )
    const values: (string | number)[] = []
    const sql = believedText(table, selected.join(', '), taken, binderOf(values))
    for await (const rows of this.#client.pages('read', sql, parametersOf(values))) {
      const data = columns.map((column) => [column.name, dataOf(column, rows)] as const)
      yield arrowTable(table, Object.fromEntries(data), rows.length)
    }
  }
}

async function* staged(target: string, pages: AsyncIterable<string[]>): AsyncGenerator<StagedRow> {
  for await (const contents of pages) {
    for (const content of contents) yield { target, content }
  }
}

function targetOf(table: TableName): Target {
  return { target: storageOf(table), columns: TABLES[table].columns }
}

/** Converts values of a column from BigQuery to Arrow. */
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
