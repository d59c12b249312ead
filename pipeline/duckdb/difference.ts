/**
 * What a takeover would change, found by DuckDB in bounded memory, whatever the size of the
 * history: the file with the recomputed tables is attached, what is believed in the warehouse
 * itself is given, and what differs is set aside in temporary tables, `coming_x` and `going_x`.
 *
 * Rows of one key are told apart by a hash of 64 bits, so that what is joined is narrow however
 * wide the rows.
 */

import type { DuckDBFile } from './file.ts'
import { literal } from './schema.ts'
import { storageOf } from './stored-tables.ts'
import { isVersioned } from '../warehouse/release-log.ts'
import { TABLES, VERSIONED_NAMES, type TableName, type VersionedName } from '../warehouse/tables.ts'
import { hasVersionsOf, isOfVersions, type Bound, type Taken } from '../warehouse/takeover-sql.ts'
import type { RowCounts, Takeover } from '../warehouse/warehouse.ts'
import type { VersionName } from '../definition/load.ts'

const OTHER = 'recomputed'

/** How the attached file calls a table's rows. */
export function theirs(table: TableName): string {
  return `${OTHER}.${storageOf(table)}`
}

/** A value as DuckDB has it in a text. */
export const asLiteral: Bound = (value) =>
  typeof value === 'string' ? literal(value) : String(value)

/** What tells versions of one key apart, of a relation with a table's stored columns. */
export function contentOf(table: VersionedName): string {
  const [key, ...columns] = TABLES[table].columns.map(({ name }) => name)
  return `${key}, hash(${columns.join(', ')}) as content`
}

export class Difference {
  /** The tables with rows of the version, and how many of their rows stop being believed. */
  readonly going = new Map<VersionedName, number>()
  readonly #file: DuckDBFile
  readonly #takeover: Takeover

  constructor(file: DuckDBFile, takeover: Takeover) {
    this.#file = file
    this.#takeover = takeover
  }

  /** Attaches the other file and compares. `fill` makes the temporary table `ours`, the `contentOf`
   * of what a table has now of what is taken. */
  async begin(fill: (table: VersionedName, taken: Taken) => Promise<void>): Promise<RowCounts> {
    const { from, version, within } = this.#takeover
    const path = literal(from.slice(from.indexOf(':') + 1))
    await this.#file.run(`attach ${path} as ${OTHER} (read_only)`)
    const versions = version === null ? await this.#onRecord() : [version]
    const counts = { inserted: 0, superseded: 0 }
    for (const table of VERSIONED_NAMES) {
      if (!isTaken(table, version)) continue
      await fill(table, { versions, within })
      for (const statement of differing(table, versions)) await this.#file.run(statement)
      const [count] = await this.#file.query(
        `select (select count(*) from coming_${table}) as inserted,
           (select count(*) from going_${table}) as superseded`,
      )
      counts.inserted += count?.['inserted'] as number
      counts.superseded += count?.['superseded'] as number
      this.going.set(table, count?.['superseded'] as number)
    }
    return counts
  }

  /** The versions that have rows in the other. */
  async #onRecord(): Promise<VersionName[]> {
    const sql = `select distinct kind, id, version from ${theirs('releases')}`
    return ((await this.#file.query(sql)) as VersionName[]).filter(isVersioned)
  }

  /** Whatever happened. */
  async end(): Promise<void> {
    for (const table of this.going.keys()) {
      await this.#file.run(`drop table if exists coming_${table}`)
      await this.#file.run(`drop table if exists going_${table}`)
    }
    await this.#file.run(`detach database if exists ${OTHER}`)
  }
}

/** Whether rows of the version are in a table. Who is in a cohort is found by cohort runs, and not
 * derived. */
function isTaken(table: VersionedName, version: VersionName | null): boolean {
  return version === null ? table !== 'cohort_member' : hasVersionsOf(table, version.kind)
}

/** What is believed in the other, and not here; what is believed here, and not there. */
function differing(table: VersionedName, versions: readonly VersionName[]): string[] {
  const columns = TABLES[table].columns.map(({ name }) => name)
  const [key] = columns
  // The other was closed, so that nothing of it is pending.
  const believed = `${theirs(table)} as its`
  const isIts = `superseded_at is null and ${isOfVersions(table, versions, asLiteral)}`
  return [
    `create or replace temp table theirs as select ${contentOf(table)} from ${believed} ` +
      `where ${isIts}`,
    `create or replace temp table coming_${table} as ` +
      `select ${columns.map((name) => `its.${name}`).join(', ')} from ${believed} ` +
      `semi join (select ${key} from theirs anti join ours using (${key}, content)) as differing ` +
      `using (${key}) where ${isIts}`,
    `create or replace temp table going_${table} as ` +
      `select ${key} from ours anti join theirs using (${key}, content)`,
    'drop table ours',
    'drop table theirs',
  ]
}
