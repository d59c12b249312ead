/**
 * What a takeover would change, found by DuckDB in bounded memory, whatever the size of the
 * history: the file with the recomputed tables is attached, what is believed in the warehouse
 * itself is given, and what differs is set aside in temporary tables, `coming_x` and `going_x`.
 *
 * Rows of one key are told apart by a hash of 64 bits, so that what is joined is narrow however
 * wide the rows.
 */

import type { DuckDBFile } from './duckdb-file.ts'
import { literal, storageOf } from './duckdb-schema.ts'
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

/** The same in DuckDB's words; null: of any version that the attached file has on record. */
export function isOf(table: VersionedName, alias: string, version: VersionName | null): string {
  if (version !== null) {
    return ofVersion(version, alias, literal(version.id), String(version.version))
  }
  if (!hasColumn(table, 'version')) return 'true'
  const [kind, id] = hasColumn(table, 'funnel')
    ? [
        `if(${alias}.journey is null, 'funnel', 'journey')`,
        `coalesce(${alias}.journey, ${alias}.funnel)`,
      ]
    : ["'journey'", `${alias}.journey`]
  const onRecord = `select (kind, id, version) from ${theirs('releases')}`
  return `(${kind}, ${id}, ${alias}.version) in (${onRecord})`
}

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
   * of what is believed of the version in a table now. */
  async begin(fill: (table: VersionedName) => Promise<void>): Promise<RowCounts> {
    const { from, version } = this.#takeover
    const path = literal(from.slice(from.indexOf(':') + 1))
    await this.#file.run(`attach ${path} as ${OTHER} (read_only)`)
    const counts = { inserted: 0, superseded: 0 }
    for (const table of VERSIONED_NAMES) {
      if (!isTaken(table, version)) continue
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

/** Whether rows of the version are in a table; a journey's funnels are versions with it. Who is in
 * a cohort is found by cohort runs, and not derived. */
function isTaken(table: VersionedName, version: VersionName | null): boolean {
  if (version === null) return table !== 'cohort_member'
  return hasColumn(table, version.kind === 'funnel' ? 'funnel' : 'version')
}

function hasColumn(table: VersionedName, column: string): boolean {
  return TABLES[table].columns.some(({ name }) => name === column)
}

/** What is believed in the other, and not here; what is believed here, and not there. */
function differing(table: VersionedName, version: VersionName | null): string[] {
  const columns = TABLES[table].columns.map(({ name }) => name)
  const [key] = columns
  // The other was closed, so that nothing of it is pending.
  const believed = `${theirs(table)} as its`
  const isIts = `its.superseded_at is null and ${isOf(table, 'its', version)}`
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
