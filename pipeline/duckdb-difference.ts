/**
 * What a takeover would change, found by DuckDB in bounded memory, whatever the size of the
 * history: the file with the recomputed tables is attached, what is believed of the version in the
 * warehouse itself is given, and what differs is set aside in temporary tables, `coming_x` and
 * `going_x`.
 */

import type { DuckDBFile } from './duckdb-file.ts'
import { storageOf } from './duckdb-schema.ts'
import { TABLES, VERSIONED_NAMES, type TableName, type VersionedName } from './tables.ts'
import type { RowCounts, Takeover, VersionName } from './warehouse.ts'

const OTHER = 'recomputed'

/** How the attached file calls a table's rows. */
export function theirs(table: TableName): string {
  return `${OTHER}.${storageOf(table)}`
}

/** The condition that a row is of the version, `id` and `version` written as the engine has it. */
export function ofVersion(
  { kind }: VersionName,
  alias: string,
  id: string,
  version: string,
): string {
  return kind === 'funnel'
    ? `${alias}.journey is null and ${alias}.funnel = ${id} and ${alias}.version = ${version}`
    : `${alias}.journey = ${id} and ${alias}.version = ${version}`
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

  /** Attaches the other file and compares. `fill` makes the temporary table `ours`, as the stored
   * columns of `table`: what is believed of the version now. */
  async begin(fill: (table: VersionedName) => Promise<void>): Promise<RowCounts> {
    const { from, version } = this.#takeover
    const path = quoted(from.slice(from.indexOf(':') + 1))
    await this.#file.run(`attach ${path} as ${OTHER} (read_only)`)
    const counts = { inserted: 0, superseded: 0 }
    for (const table of VERSIONED_NAMES) {
      if (!hasVersions(table, version)) continue
      await fill(table)
      for (const statement of differing(table, version)) await this.#file.run(statement)
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

  /** Whatever happened. */
  async end(): Promise<void> {
    for (const table of this.going.keys()) {
      await this.#file.run(`drop table if exists coming_${table}`)
      await this.#file.run(`drop table if exists going_${table}`)
    }
    await this.#file.run(`detach database if exists ${OTHER}`)
  }
}

/** Whether a table has rows of the version; a journey's funnels are versions with it. */
function hasVersions(table: VersionedName, { kind }: VersionName): boolean {
  const column = kind === 'funnel' ? 'funnel' : 'version'
  return TABLES[table].columns.some(({ name }) => name === column)
}

/** What is believed in the other, and not here; what is believed here, and not there. */
function differing(table: VersionedName, version: VersionName): string[] {
  const columns = TABLES[table].columns.map(({ name }) => name)
  const isEqual = columns
    .map((name) => `theirs.${name} is not distinct from ours.${name}`)
    .join(' and ')
  const all = columns.map((name) => `theirs.${name}`).join(', ')
  // The other was closed, so that nothing of it is pending.
  const believed = `${theirs(table)} as theirs`
  const isOfVersion = ofVersion(version, 'theirs', quoted(version.id), String(version.version))
  return [
    `create or replace temp table coming_${table} as select ${all} from ${believed} ` +
      `anti join ours on ours.row_key = theirs.row_key and ${isEqual} ` +
      `where theirs.superseded_at is null and ${isOfVersion}`,
    `create or replace temp table going_${table} as select row_key from ours ` +
      `where not exists (select 1 from ${believed} where theirs.superseded_at is null ` +
      `and theirs.row_key = ours.row_key and ${isEqual})`,
    'drop table ours',
  ]
}

export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
