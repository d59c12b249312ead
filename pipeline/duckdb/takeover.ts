/**
 * Takeover into a DuckDB file. The differences and the state that runs continue from are copied in
 * the transaction of a commit, by DuckDB in bounded memory.
 */

import { asLiteral, contentOf, Difference, theirs } from './difference.ts'
import type { DuckDBFile } from './file.ts'
import { keyedStatement, pendingOf, storageOf } from './stored-tables.ts'
import { KEYED_TABLES } from '../warehouse/image-tables.ts'
import { TABLES, type VersionedName } from '../warehouse/tables.ts'
import { believedText } from '../warehouse/takeover-sql.ts'
import type { RowCounts, Takeover } from '../warehouse/warehouse.ts'

export class DuckDBTakeover {
  readonly #file: DuckDBFile
  readonly #takeover: Takeover
  readonly #difference: Difference

  constructor(file: DuckDBFile, takeover: Takeover) {
    this.#file = file
    this.#takeover = takeover
    this.#difference = new Difference(file, takeover)
  }

  /** Attaches the other file and compares. */
  begin(): Promise<RowCounts> {
    return this.#difference.begin((table, taken) => {
      const ours = believedText(table, contentOf(table), taken, asLiteral)
      return this.#file.run(`create or replace temp table ours as ${ours}`)
    })
  }

  /** Copies the differences, within the transaction of the commit. */
  async apply(batch: number, recordedAt: number): Promise<void> {
    const stamp = `make_timestamptz(${recordedAt}), ${batch}`
    for (const table of this.#difference.going.keys()) {
      await this.#file.run(
        `insert into ${storageOf(table)} select *, ${stamp}, null, null, null from coming_${table}`,
      )
      await this.#file.run(
        `insert into ${pendingOf(table)} select row_key, 'rebuilt', ${stamp} from going_${table}`,
      )
    }
    const { state } = this.#takeover
    for (const table of KEYED_TABLES) {
      if (!state.includes(table)) continue
      const stored = storageOf(table)
      const columns = TABLES[table].columns.map(({ name }) => name).join(', ')
      await this.#file.run(`drop table ${stored}`)
      await this.#file.run(keyedStatement(table))
      // Rows are copied in the order in which they were written.
      await this.#file.run(
        `insert into ${stored} select ${columns}, ${stamp} from ${theirs(table)}`,
      )
    }
    if (!state.includes('timer')) return
    const timers = storageOf('timer')
    await this.#file.run(`truncate ${timers}`)
    await this.#file.run(
      `insert into ${timers} select due_at, profile_id, ${stamp} from ${theirs('timer')}`,
    )
  }

  /** Cleans up, also after a failure. */
  end(): Promise<void> {
    return this.#difference.end()
  }

  /** Pending rows that `apply` has added, by table. */
  waiting(): Iterable<[VersionedName, number]> {
    return this.#difference.going
  }
}
