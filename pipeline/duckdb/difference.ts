/**
 * Difference of a takeover, computed by DuckDB in bounded memory for any length of history. The
 * file with the recomputed tables is attached, the current rows of the warehouse are passed in, and
 * what differs is written to the temporary tables `coming_x` and `going_x`.
 *
 * Rows of one key are compared by a 64-bit hash, so that joins are narrow however wide the rows
 * are.
 */

import type { DuckDBFile } from './file.ts'
import { currentText, literal } from './schema.ts'
import { pendingOf, storageOf } from './stored-tables.ts'
import { isVersioned } from '../warehouse/release-log.ts'
import { TABLES, VERSIONED_NAMES, type TableName, type VersionedName } from '../warehouse/tables.ts'
import { hasVersionsOf, isOfVersions, type Bound, type Taken } from '../warehouse/takeover-sql.ts'
import type { RowCounts, Takeover } from '../warehouse/warehouse.ts'
import type { VersionName } from '../definition/load.ts'

const OTHER = 'recomputed'

/** Returns the name of a table in the attached file. */
export function theirs(table: TableName): string {
  return `${OTHER}.${storageOf(table)}`
}

/** Writes a value as a DuckDB literal. */
export const asLiteral: Bound = (value) =>
  typeof value === 'string' ? literal(value) : String(value)

/** Returns the columns that distinguish versions of one key, for a relation with a table's stored
 * columns. */
export function contentOf(table: VersionedName): string {
  const [key, ...columns] = TABLES[table].columns.map(({ name }) => name)
  return `${key}, hash(${columns.join(', ')}) as content`
}

export class Difference {
  /** Tables with rows of the version, and how many of them are superseded. */
  readonly going = new Map<VersionedName, number>()
  readonly #file: DuckDBFile
  readonly #takeover: Takeover

  constructor(file: DuckDBFile, takeover: Takeover) {
    this.#file = file
    this.#takeover = takeover
  }

  /** Attaches the other file and compares. `fill` creates the temporary table `ours`: the
   * `contentOf` the current rows of a table that are affected. */
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

  /** Returns the versions that have rows in the other file. */
  async #onRecord(): Promise<VersionName[]> {
    const sql = `select distinct kind, id, version from ${theirs('releases')}`
    return ((await this.#file.query(sql)) as VersionName[]).filter(isVersioned)
  }

  /** Drops the temporary tables and detaches the file, also after a failure. */
  async end(): Promise<void> {
    for (const table of this.going.keys()) {
      await this.#file.run(`drop table if exists coming_${table}`)
      await this.#file.run(`drop table if exists going_${table}`)
    }
    await this.#file.run(`detach database if exists ${OTHER}`)
  }
}

/** Returns whether a table has rows of the version. Cohort members are not derived, so they are not
 * taken over. */
function isTaken(table: VersionedName, version: VersionName | null): boolean {
  return version === null ? table !== 'cohort_member' : hasVersionsOf(table, version.kind)
}

/** Returns statements for current rows of the other file that are missing here, and vice versa. */
function differing(table: VersionedName, versions: readonly VersionName[]): string[] {
  const columns = TABLES[table].columns.map(({ name }) => name)
  const [key] = columns
  const isIts = isOfVersions(table, versions, asLiteral)
  // A closed file may have a few pending rows.
  const current = currentText('base.*', theirs(table), `${OTHER}.${pendingOf(table)}`)
  const believed = `(${current}) as its`
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
