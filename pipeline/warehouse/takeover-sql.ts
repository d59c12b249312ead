/**
 * Rows that a takeover affects, in SQL that every engine reads: the current rows of the versions
 * that are taken over, of the profiles that are built. The engine passes `bound` to bind values.
 */

import { TABLES, type VersionedName } from './tables.ts'
import type { EventWindow } from './warehouse.ts'
import type { VersionName } from '../definition/load.ts'

/** Returns how a value is written in a query. It is called in the order of the text, so that values
 * of `?` can be collected. */
export type Bound = (value: string | number) => string

/** Versions to take over, and the profiles of which; null means all. */
export type Taken = { versions: readonly VersionName[]; within: EventWindow | null }

/** Returns the query for the current rows that the takeover replaces. */
export function believedText(
  table: VersionedName,
  columns: string,
  { versions, within }: Taken,
  bound: Bound,
): string {
  const isTaken = isOfVersions(table, versions, bound)
  const touched = within === null ? '' : ` and profile_id not in (${untouched(within, bound)})`
  return `select ${columns} from ${table}_now where ${isTaken}${touched}`
}

/** Returns the condition that a row belongs to one of the versions. It holds for tables without
 * versions. */
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

/** Returns the condition that an event is in the window. */
export function isInside({ from, to }: EventWindow, bound: Bound): string {
  const bounds: string[] = []
  if (from !== null) bounds.push(`occurred_at >= timestamp_micros(${bound(from)})`)
  if (to !== null) bounds.push(`occurred_at < timestamp_micros(${bound(to)})`)
  return bounds.length === 0 ? 'true' : bounds.join(' and ')
}

/** Returns whether a table has rows of that kind of version. A journey's funnels are versioned with
 * it. */
export function hasVersionsOf(table: VersionedName, kind: string): boolean {
  return hasColumn(table, kind === 'funnel' ? 'funnel' : 'version')
}

/** Returns the query for profiles without an event in the window, whose rows stay unchanged. */
function untouched(window: EventWindow, bound: Bound): string {
  return (
    'select profile_id from event_profile_now inner join events_log using (event_id) ' +
    `group by profile_id having countif(${isInside(window, bound)}) = 0`
  )
}

function hasColumn(table: VersionedName, column: string): boolean {
  return TABLES[table].columns.some(({ name }) => name === column)
}
