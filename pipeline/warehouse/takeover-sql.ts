/**
 * Which rows a takeover is about, in SQL that every warehouse reads: what is believed in it of the
 * versions that are taken over, of those profiles that are built. A warehouse says by `bound` how
 * it is given a value.
 */

import { TABLES, type VersionedName } from './tables.ts'
import type { EventWindow } from './warehouse.ts'
import type { VersionName } from '../definition/load.ts'

/** How a value stands in a query. */
export type Bound = (value: string | number) => string

/** What is taken over: the versions, and whose rows of them; null: everybody's. */
export type Taken = { versions: readonly VersionName[]; within: EventWindow | null }

/** A query for columns of the rows that are believed here now, and are to become the other's. */
export function believedText(
  table: VersionedName,
  columns: string,
  { versions, within }: Taken,
  bound: Bound,
): string {
  const touched = within === null ? '' : ` and profile_id not in (${untouched(within, bound)})`
  return (
    `select ${columns} from ${table}_now ` +
    `where ${isOfVersions(table, versions, bound)}${touched}`
  )
}

/** The condition that a row is of one of the versions; rows of tables without any all are. */
export function isOfVersions(
  table: VersionedName,
  versions: readonly VersionName[],
  bound: Bound,
): string {
  if (!hasColumn(table, 'version')) return 'true'
  const each = versions
    .filter(({ kind }) => hasVersionsOf(table, kind))
    .map(({ kind, id, version }) => {
      const owner = kind === 'funnel' ? 'journey is null and funnel' : 'journey'
      return `${owner} = ${bound(id)} and version = ${bound(version)}`
    })
  return each.length === 0 ? 'false' : `(${each.join(' or ')})`
}

/** The condition that an event is in the window. */
export function isInside({ from, to }: EventWindow, bound: Bound): string {
  const bounds: string[] = []
  if (from !== null) bounds.push(`occurred_at >= timestamp_micros(${bound(from)})`)
  if (to !== null) bounds.push(`occurred_at < timestamp_micros(${bound(to)})`)
  return bounds.length === 0 ? 'true' : bounds.join(' and ')
}

/** Whether rows of a version of that kind are in a table: a journey's funnels are versions with
 * it. */
export function hasVersionsOf(table: VersionedName, kind: string): boolean {
  return hasColumn(table, kind === 'funnel' ? 'funnel' : 'version')
}

/** Profiles without an event in the window: their rows are left alone. */
function untouched(window: EventWindow, bound: Bound): string {
  return (
    'select profile_id from event_profile_now inner join events_log using (event_id) ' +
    `group by profile_id having countif(${isInside(window, bound)}) = 0`
  )
}

function hasColumn(table: VersionedName, column: string): boolean {
  return TABLES[table].columns.some(({ name }) => name === column)
}
