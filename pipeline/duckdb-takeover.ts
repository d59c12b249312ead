/**
 * A takeover as SQL: the other file is attached, what differs is set aside in temporary tables,
 * and then moved in the transaction of a commit. DuckDB joins and copies it in bounded memory,
 * whatever the size of the history.
 */

import type { DuckDBFile } from './duckdb-file.ts'
import { keyedStatements, storageOf } from './duckdb-schema.ts'
import { TABLES, VERSIONED_NAMES, type TableSpec, type VersionedName } from './tables.ts'
import { imageTable } from './commit.ts'
import {
  IMAGE_KINDS,
  type EventWindow,
  type RowCounts,
  type Takeover,
  type VersionName,
} from './warehouse.ts'

const OTHER = 'recomputed'
const KEYED = ['history', ...IMAGE_KINDS.map(imageTable)] as const

export class DuckDBTakeover {
  readonly #file: DuckDBFile
  readonly #takeover: Takeover
  readonly #tables: VersionedName[]

  constructor(file: DuckDBFile, takeover: Takeover) {
    this.#file = file
    this.#takeover = takeover
    this.#tables = VERSIONED_NAMES.filter((table) => isTaken(table, takeover.version))
  }

  /** Attaches the other and finds what differs. */
  async begin(): Promise<RowCounts> {
    const path = this.#takeover.from.slice(this.#takeover.from.indexOf(':') + 1)
    await this.#file.run(`attach ${quoted(path)} as ${OTHER} (read_only)`)
    await this.#file.run(untouched(this.#takeover.within))
    const counts = { inserted: 0, superseded: 0 }
    for (const table of this.#tables) {
      for (const statement of differing(table, this.#takeover)) await this.#file.run(statement)
      const [count] = await this.#file.query(
        `select (select count(*) from coming_${table}) as inserted,
           (select count(*) from going_${table}) as superseded`,
      )
      counts.inserted += count?.['inserted'] as number
      counts.superseded += count?.['superseded'] as number
    }
    return counts
  }

  /** Within the transaction of the commit. */
  async apply(batch: number, recordedAt: number): Promise<void> {
    const stamp = `make_timestamptz(${recordedAt}), ${batch}`
    for (const table of this.#tables) {
      await this.#file.run(
        `insert into ${storageOf(table)} select *, ${stamp}, null, null, null from coming_${table}`,
      )
      await this.#file.run(
        `insert into ${table}_pending select row_key, 'rebuilt', ${stamp} from going_${table}`,
      )
    }
    if (!this.#takeover.hasMemory) return
    for (const table of KEYED) {
      const columns = TABLES[table].columns.map(({ name }) => name).join(', ')
      const [making, ...indexing] = keyedStatements(table)
      await this.#file.run(`drop table ${table}`)
      await this.#file.run(making as string)
      // They are stored in the order of their numbers, and so they come.
      await this.#file.run(
        `insert into ${table} select ${columns}, ${stamp}, no from ${OTHER}.${table}`,
      )
      for (const statement of indexing) await this.#file.run(statement)
    }
    await this.#file.run('truncate timer')
    await this.#file.run(
      `insert into timer select due_at, profile_id, ${stamp} from ${OTHER}.timer`,
    )
  }

  /** Whatever happened. */
  async end(): Promise<void> {
    for (const table of this.#tables) {
      await this.#file.run(`drop table if exists coming_${table}`)
      await this.#file.run(`drop table if exists going_${table}`)
    }
    await this.#file.run('drop table if exists untouched')
    await this.#file.run(`detach database if exists ${OTHER}`)
  }

  /** Rows that `apply` has set waiting, by table. */
  async waiting(): Promise<[VersionedName, number][]> {
    const counts: [VersionedName, number][] = []
    for (const table of this.#tables) {
      const [count] = await this.#file.query(`select count(*) as rows from going_${table}`)
      counts.push([table, count?.['rows'] as number])
    }
    return counts
  }
}

function hasColumn(table: VersionedName, name: string): boolean {
  const { columns }: TableSpec = TABLES[table]
  return columns.some((column) => column.name === name)
}

/** Whether rows of the version are in this table; a journey's funnels are versions with it. Who is
 * in a cohort is found by cohort runs, and not derived. */
function isTaken(table: VersionedName, version: VersionName | null): boolean {
  if (version === null) return table !== 'cohort_member'
  return hasColumn(table, version.kind === 'funnel' ? 'funnel' : 'version')
}

/** Profiles whose rows are left alone. */
function untouched(within: EventWindow | null): string {
  const inside = [
    ...(within?.from == null ? [] : [`occurred_at >= make_timestamptz(${within.from})`]),
    ...(within?.to == null ? [] : [`occurred_at < make_timestamptz(${within.to})`]),
  ]
  return (
    'create or replace temp table untouched as select profile_id from event_profile_now as own ' +
    'inner join events_log using (event_id) group by profile_id ' +
    `having ${within === null ? 'false' : `not bool_or(${['true', ...inside].join(' and ')})`}`
  )
}

/** Which rows of a table are the version's, or of any version that the other has on record. */
function isOf(table: VersionedName, of: string, version: VersionName | null): string {
  if (version !== null) {
    const owner =
      version.kind === 'funnel' ? `${of}.journey is null and ${of}.funnel` : `${of}.journey`
    return `${owner} = ${quoted(version.id)} and ${of}.version = ${version.version}`
  }
  if (!hasColumn(table, 'version')) return 'true'
  const [kind, id] = hasColumn(table, 'funnel')
    ? [`if(${of}.journey is null, 'funnel', 'journey')`, `coalesce(${of}.journey, ${of}.funnel)`]
    : ["'journey'", `${of}.journey`]
  return (
    `(${kind}, ${id}, ${of}.version) in ` +
    `(select (kind, id, version) from ${OTHER}.${storageOf('releases')})`
  )
}

/**
 * What is believed in the other, and not here; what is believed here, and not there. Rows of one
 * key are told apart by a hash of 64 bits, so that what is joined is narrow however wide the rows.
 */
function differing(table: VersionedName, { version, within }: Takeover): string[] {
  const [key, ...columns] = TABLES[table].columns.map(({ name }) => name)
  const touched = within === null ? '' : ' anti join untouched using (profile_id)'
  // The other was closed, so that nothing of it is pending.
  const storage = `${OTHER}.${storageOf(table)} as its`
  const isIts = `its.superseded_at is null and ${isOf(table, 'its', version)}`
  const content = `${key}, hash(${columns.join(', ')}) as content`
  return [
    `create or replace temp table ours as select ${content} from ${table}_now as own${touched} ` +
      `where ${isOf(table, 'own', version)}`,
    `create or replace temp table theirs as select ${content} from ${storage} where ${isIts}`,
    `create or replace temp table coming_${table} as select its.${key}, ` +
      `${columns.map((name) => `its.${name}`).join(', ')} from ${storage} ` +
      `semi join (select ${key} from theirs anti join ours using (${key}, content)) as differing ` +
      `using (${key}) where ${isIts}`,
    `create or replace temp table going_${table} as ` +
      `select ${key} from ours anti join theirs using (${key}, content)`,
    'drop table ours',
    'drop table theirs',
  ]
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
