/**
 * A takeover into a DuckDB file: what differs moves in the transaction of a commit, and so does
 * what runs continue from. DuckDB joins and copies it in bounded memory.
 */

import { contentOf, Difference, isOf, theirs } from './duckdb-difference.ts'
import type { DuckDBFile } from './duckdb-file.ts'
import { KEYED_TABLES, keyedStatement, storageOf } from './duckdb-schema.ts'
import { TABLES, type VersionedName } from './tables.ts'
import type { EventWindow, RowCounts, Takeover } from './warehouse.ts'

export class DuckDBTakeover {
  readonly #file: DuckDBFile
  readonly #takeover: Takeover
  readonly #difference: Difference

  constructor(file: DuckDBFile, takeover: Takeover) {
    this.#file = file
    this.#takeover = takeover
    this.#difference = new Difference(file, takeover)
  }

  /** Attaches the other and finds what differs. */
  async begin(): Promise<RowCounts> {
    const { version, within } = this.#takeover
    if (within !== null) await this.#file.run(untouched(within))
    const touched = within === null ? '' : ' anti join untouched using (profile_id)'
    return this.#difference.begin((table) =>
      this.#file.run(
        `create or replace temp table ours as select ${contentOf(table)} ` +
          `from ${table}_now as own${touched} where ${isOf(table, 'own', version)}`,
      ),
    )
  }

  /** Within the transaction of the commit. */
  async apply(batch: number, recordedAt: number): Promise<void> {
    const stamp = `make_timestamptz(${recordedAt}), ${batch}`
    for (const table of this.#difference.going.keys()) {
      await this.#file.run(
        `insert into ${storageOf(table)} select *, ${stamp}, null, null, null from coming_${table}`,
      )
      await this.#file.run(
        `insert into ${table}_pending select row_key, 'rebuilt', ${stamp} from going_${table}`,
      )
    }
    if (!this.#takeover.hasMemory) return
    for (const table of KEYED_TABLES) {
      const columns = TABLES[table].columns.map(({ name }) => name).join(', ')
      await this.#file.run(`drop table ${table}`)
      await this.#file.run(keyedStatement(table))
      // They are stored in the order of being written, and so they come.
      await this.#file.run(
        `insert into ${table} select ${columns}, ${stamp} from ${theirs(table)}`,
      )
    }
    await this.#file.run('truncate timer')
    await this.#file.run(
      `insert into timer select due_at, profile_id, ${stamp} from ${theirs('timer')}`,
    )
  }

  /** Whatever happened. */
  async end(): Promise<void> {
    await this.#file.run('drop table if exists untouched')
    await this.#difference.end()
  }

  /** Rows that `apply` has set waiting, by table. */
  waiting(): Iterable<[VersionedName, number]> {
    return this.#difference.going
  }
}

/** Profiles without an event in the window: their rows are left alone. */
function untouched({ from, to }: EventWindow): string {
  const inside = [
    'true',
    ...(from === null ? [] : [`occurred_at >= make_timestamptz(${from})`]),
    ...(to === null ? [] : [`occurred_at < make_timestamptz(${to})`]),
  ]
  return (
    'create or replace temp table untouched as select profile_id from event_profile_now as own ' +
    'inner join events_log using (event_id) group by profile_id ' +
    `having not bool_or(${inside.join(' and ')})`
  )
}
