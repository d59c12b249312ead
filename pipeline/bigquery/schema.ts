/**
 * The catalogue as BigQuery DDL, and the public views over it.
 *
 * Everything is append-only. A versioned table is two tables: `x_base` has the versions as
 * recorded, `x_ended` has the keys that were superseded, and when. A row of `x_ended` ends the
 * version of its key that was recorded before it and had not ended. `superseded_at` is derived from
 * that, because an UPDATE bills whole partitions. Each row of `x_base` is independent of the
 * others, so a filter on days in a view reaches its partitions, and a version in another partition
 * does not appear as current. `x_past` has versions that ended long ago, with their ends:
 * compaction (`compact.ts`) moves them there, where no current view reads them.
 *
 * A view must call relations by their full names, so every text is prefixed with steps that have
 * the names used in the shared text.
 */

import { analysisViews } from '../warehouse/analysis-views.ts'
import {
  asOfTexts,
  liveFunnel,
  liveRelease,
  over,
  storedColumns,
  versionsText,
  type At,
  type ViewText,
} from '../warehouse/view-sql.ts'
import { publicViews, SUPERSEDED } from '../warehouse/public-views.ts'
import { sqlFiles } from '../warehouse/sql-files.ts'
import type { Column } from '../warehouse/column.ts'
import { TABLES, VERSIONED_NAMES, type TableName, type VersionedName } from '../warehouse/tables.ts'

const TYPES: { [T in Column['type']]: string } = {
  text: 'string',
  json: 'string',
  instant: 'timestamp',
  integer: 'int64',
  boolean: 'bool',
  bytes: 'bytes',
  hash64: 'int64',
  uuid: 'string',
}

/** Layout of a table, chosen for how it is read. */
type Layout = {
  /** Instant column with one partition per month, so that wrong clocks do not exceed the maximum
   * number of partitions; `day` is for columns recorded day by day. */
  month?: string
  day?: string
  cluster?: readonly string[]
}

const IMAGE: Layout = { cluster: ['k'] }

const LAYOUTS: { [T in TableName]: Layout } = {
  events: { day: 'recorded_at', cluster: ['event_hash'] },
  event_profile: { cluster: ['event_id'] },
  session: { month: 'started_at', cluster: ['profile_id'] },
  identity: { cluster: ['namespace', 'value'] },
  identity_conflict: { month: 'occurred_at', cluster: ['event_id'] },
  transition: { month: 'occurred_at', cluster: ['journey', 'instance_group'] },
  state: { month: 'entered_at', cluster: ['journey', 'instance_group'] },
  cycle: { month: 'ended_at', cluster: ['journey', 'path'] },
  rejection: { month: 'occurred_at', cluster: ['journey'] },
  funnel_attempt: { month: 'entered_at', cluster: ['funnel', 'profile_id'] },
  funnel_attempt_step: { month: 'reached_at', cluster: ['funnel', 'attempt_id'] },
  funnel_definitions: {},
  outcomes: {},
  cohort_member: { cluster: ['cohort', 'profile_id'] },
  cohort_changes: { cluster: ['cohort', 'profile_id'] },
  cohort_runs: {},
  effects: { cluster: ['effect_id'] },
  dead_letters: { cluster: ['dead_letter_id'] },
  dead_letter_resolution: {},
  releases: {},
  batches: { cluster: ['batch'] },
  erasures: {},
  history: { cluster: ['k'] },
  timer: { cluster: ['due_at'] },
  landed_messages: { day: 'publish_time', cluster: ['publish_time'] },
  applied_messages: { day: 'publish_time', cluster: ['publish_time'] },
  effect_publication: {},
  definitions_folder: {},
  stream_image: IMAGE,
  identifier_image: IMAGE,
  component_image: IMAGE,
  profile_image: IMAGE,
}

/** Rows on their way to other tables, as JSON arrays. Streamed into and never changed. Rows of
 * failed attempts are not read and expire with their partition. */
export const STAGED = 'staged'
const STAGED_DAYS = 3

/** Table with one row: the last batch, the run that moved it there, and the hash of the schema. */
export const FENCE = 'fence'

export type PhysicalTable = {
  name: string
  columns: readonly { name: string; type: string }[]
  tail: string
  /** Days after which a partition is deleted. If absent, it is kept. */
  keptDays?: number
}

/** Returns the table to which rows are appended. */
export function storageOf(table: TableName): string {
  const { kind } = TABLES[table]
  if (kind === 'versioned') return `${table}_base`
  return kind === 'log' ? `${table}_log` : table
}

/** Returns the table to which ends of versions are appended. */
export function endsOf(table: VersionedName): string {
  return `${table}_ended`
}

/** Returns the table to which compaction moves superseded versions. */
export function pastOf(table: VersionedName): string {
  return `${table}_past`
}

/** Returns the instant column of a table's monthly partitions, or null. */
export function monthsOf(table: VersionedName): string | null {
  return LAYOUTS[table].month ?? null
}

export const RECORDED = ['recorded_at', 'recorded_by']

/** Returns all tables except the fence, which is created with its row. */
export function physicalTables(): PhysicalTable[] {
  const recorded = [
    { name: 'recorded_at', type: TYPES.instant },
    { name: 'recorded_by', type: TYPES.integer },
  ]
  const columnsOf = (table: TableName) => {
    const specs: readonly Column[] = TABLES[table].columns
    return [...specs.map(({ name, type }) => ({ name, type: TYPES[type] })), ...recorded]
  }
  const tables = (Object.keys(TABLES) as TableName[]).map((table): PhysicalTable => {
    const commit = table === 'batches' ? [{ name: 'commit_id', type: TYPES.text }] : []
    const columns = [...columnsOf(table), ...commit]
    return { name: storageOf(table), columns, tail: tailOf(LAYOUTS[table]) }
  })
  const ends = VERSIONED_NAMES.map((table): PhysicalTable => {
    const columns = [
      { name: 'row_key', type: TYPES.uuid },
      { name: 'superseded_because', type: TYPES.text },
    ]
    const name = endsOf(table)
    return { name, columns: [...columns, ...recorded], tail: tailOf({ cluster: ['row_key'] }) }
  })
  const [supersededAt, supersededBy, because] = SUPERSEDED
  const superseded = [
    { name: supersededAt, type: TYPES.instant },
    { name: supersededBy, type: TYPES.integer },
    { name: because, type: TYPES.text },
  ]
  const past = VERSIONED_NAMES.map((table): PhysicalTable => {
    const columns = [...columnsOf(table), ...superseded]
    return { name: pastOf(table), columns, tail: tailOf(LAYOUTS[table]) }
  })
  const staged: PhysicalTable = {
    name: STAGED,
    columns: [
      { name: 'staged_at', type: TYPES.instant },
      { name: 'stage', type: TYPES.text },
      { name: 'target', type: TYPES.text },
      { name: 'content', type: TYPES.text },
    ],
    tail: tailOf({ day: 'staged_at', cluster: ['stage', 'target'] }),
    keptDays: STAGED_DAYS,
  }
  return [...tables, ...ends, ...past, staged]
}

function tailOf({ month, day, cluster }: Layout): string {
  const by = month ?? day
  const unit = month === undefined ? 'day' : 'month'
  const partition = by === undefined ? '' : ` partition by timestamp_trunc(${by}, ${unit})`
  return partition + (cluster === undefined ? '' : ` cluster by ${cluster.join(', ')}`)
}

const NOT_PUBLIC = 'Internal: may change with any version of the program.'

/** Quotes a name, because some (`hash`) are keywords. */
export function quoted(name: string): string {
  return `\`${name}\``
}

export function createTable({ name, columns, tail, keptDays }: PhysicalTable, at: At): string {
  const list = columns.map((column) => `${quoted(column.name)} ${column.type}`).join(', ')
  const kept = keptDays === undefined ? [] : [`partition_expiration_days = ${keptDays}`]
  const options = [description(NOT_PUBLIC), ...kept].join(', ')
  return `create table if not exists ${at(name)} (${list})${tail} options (${options})`
}

/** Creates the fence with its row in one statement, so that only one of two writers creates the
 * row. */
export function createFence(at: At): string {
  return (
    `create table if not exists ${at(FENCE)} as ` +
    "select 0 as batch, cast(null as string) as run, '' as schema_hash"
  )
}

export function addColumn(table: string, column: string, type: string, at: At): string {
  return `alter table ${at(table)} add column if not exists ${quoted(column)} ${type}`
}

/** Returns views and functions, each after those it reads. */
export function viewStatements(at: At): string[] {
  const view = ({ name, text }: ViewText) =>
    `create or replace view ${at(name)}${described(name)} as\n${text}`
  const qualified = (reads: readonly string[], text: string) =>
    over(
      reads.map((name) => [name, `select * from ${at(name)}`]),
      text,
    )
  return [
    ...VERSIONED_NAMES.flatMap((table) => relationTexts(table, at).map(view)),
    view({ name: 'live_release', text: liveRelease('true', at) }),
    view({ name: 'live_funnel', text: liveFunnel('true', at) }),
    ...VERSIONED_NAMES.map((table) => view(versionsText(table, at))),
    ...[...sqlFiles('views'), ...analysisViews()].map(({ name, text, reads }) =>
      view({ name, text: qualified(reads, text) }),
    ),
    ...asOfTexts(at).map(
      ({ name, text }) =>
        `create or replace table function ${at(name)}(believed_at timestamp) as ${text}`,
    ),
  ]
}

/** Returns the column list and options of a view: descriptions for a public view and its columns,
 * otherwise a note that the view is internal. */
function described(view: string): string {
  const known = publicViews().get(view)
  if (known === undefined) return ` options (${description(NOT_PUBLIC)})`
  const columns = known.columns.map(
    ({ name, about }) => `${quoted(name)} options (${description(about)})`,
  )
  return ` (${columns.join(', ')}) options (${description(known.about)})`
}

function description(text: string): string {
  return `description = ${JSON.stringify(text)}`
}

/** Returns `x_now` and `x_all`. */
function relationTexts(table: VersionedName, at: At): ViewText[] {
  const based = storedColumns(table)
    .map((name) => `base.${name}`)
    .join(', ')
  return [
    {
      name: `${table}_now`,
      text:
        `select ${based} from ${at(`${table}_base`)} as base left join ` +
        '(select row_key, max(recorded_by) as ended_by ' +
        `from ${at(endsOf(table))} group by row_key) as ended on ended.row_key = base.row_key ` +
        'where ended.ended_by is null or ended.ended_by <= base.recorded_by',
    },
    { name: `${table}_all`, text: allText(table, at) },
  ]
}

/** Returns the query for every version of a table with its end. */
export function allText(table: VersionedName, at: At): string {
  const columns = [...storedColumns(table), ...SUPERSEDED].join(', ')
  return `${endingText(table, 'left', at)} union all select ${columns} from ${at(pastOf(table))}`
}

/** Returns the query for versions of `x_base` with their ends; `inner` returns only those that
 * ended. */
export function endingText(table: VersionedName, join: 'left' | 'inner', at: At): string {
  const based = storedColumns(table)
    .map((name) => `base.${name}`)
    .join(', ')
  const [supersededAt, supersededBy, because] = SUPERSEDED
  return (
    `select ${based}, ended.recorded_at as ${supersededAt}, ` +
    `ended.recorded_by as ${supersededBy}, ended.${because} ` +
    `from ${at(`${table}_base`)} as base ${join} join (` +
    `select row_key, ${because}, recorded_at, recorded_by, ` +
    'coalesce(lag(recorded_by) over (partition by row_key order by recorded_by), 0) ' +
    `as ended_before from ${at(endsOf(table))}) as ended ` +
    'on ended.row_key = base.row_key and ended.recorded_by > base.recorded_by ' +
    'and ended.ended_before <= base.recorded_by'
  )
}

/** Returns a column's value in a staged row, converted to the column's type. */
export function stagedValue(type: Column['type'], place: number): string {
  const text = `json_value(content, '$[${place}]')`
  if (type === 'bytes') return `from_base64(${text})`
  if (type === 'boolean') return `cast(${text} as bool)`
  if (type === 'instant') return `timestamp_micros(cast(${text} as int64))`
  return type === 'integer' || type === 'hash64' ? `cast(${text} as int64)` : text
}
