/**
 * What of the tables goes with an erased person: conditions over their rows, called `base`, in SQL
 * that every warehouse reads.
 *
 * A version goes when it is of the person's profile, or when it was believed of another's profile
 * while one of the erased events counted as that profile's and is believed no more: it may tell
 * of him. Image logs are cut to their latest images first, because older ones may name him.
 *
 * The conditions hold of tables that have what the commit adds, and are taken in this order: where
 * one names another table, what goes of that is gone. A warehouse gives the relations they name:
 * tables as they are stored, of versions with what superseded them, `erased_LIST (item)`,
 * `erased_due (profile_id, due)` and `erased_belief (profile_id, since, until)`.
 */

import { TABLES, VERSIONED_NAMES, type TableName, type VersionedName } from './tables.ts'
import type { Erasure, LandedKey } from './warehouse.ts'

const LISTS = ['events', 'names', 'streams', 'emptied', 'components', 'letters'] as const
type List = (typeof LISTS)[number] | 'quoted' | 'messages'

/** The lists by name; `quoted` are the names as they stand in JSON. */
export function listsOf(erasure: Erasure): [list: List, items: readonly string[]][] {
  return [
    ...LISTS.map((list): [List, readonly string[]] => [list, erasure[list]]),
    ['quoted', erasure.names.map((name) => JSON.stringify(name))],
    ['messages', erasure.messages.map(messageText)],
  ]
}

function messageText({ subscription_name, message_id, publish_time }: LandedKey): string {
  return `${subscription_name} ${message_id} ${publish_time}`
}

/** The same of a row of `landed_messages`. */
const MESSAGE_TEXT =
  "subscription_name || ' ' || message_id || ' ' || cast(unix_micros(publish_time) as string)"

const among = (column: string, list: List) => `${column} in (select item from erased_${list})`

/** Whose profiles the erased events counted as, from one batch until another. */
export const BELIEF =
  'select distinct profile_id, recorded_by as since, superseded_by as until ' +
  `from event_profile_base where ${among('event_id', 'events')}`

/** The row's profile had an erased event when the row was recorded. */
const WAS_MIXED =
  'exists (select 1 from erased_belief as belief where belief.profile_id = base.profile_id ' +
  'and belief.since <= base.recorded_by ' +
  'and (belief.until is null or belief.until > base.recorded_by))'

/** What of each table goes. Transitions before effects: an effect goes with its transition. */
export function erasedRows(batch: number): [table: TableName, condition: string][] {
  return [
    ...VERSIONED_NAMES.map((table): [TableName, string] => [table, versionCondition(table, batch)]),
    // An effect and its retraction are one story, even where it begins or ends as another's.
    [
      'effects',
      `effect_id in (select effect_id from effects_log where ${among('profile_id', 'names')} ` +
        'or transition_id not in (select transition_id from transition_base))',
    ],
    [
      'cohort_changes',
      `${among('profile_id', 'names')} or (${WAS_MIXED} and profile_id not in ` +
        '(select profile_id from event_profile_base where superseded_at is null))',
    ],
    ['events', among('event_id', 'events')],
    ['dead_letters', among('cast(dead_letter_id as string)', 'letters')],
    ['dead_letter_resolution', among('cast(dead_letter_id as string)', 'letters')],
    [
      'landed_messages',
      `${among(MESSAGE_TEXT, 'messages')} and (recorded_by is null or recorded_by < ${batch})`,
    ],
    ['history', `${among('stream', 'streams')} and recorded_by < ${batch}`],
    [
      'timer',
      `${among('profile_id', 'names')} or exists (select 1 from erased_due as kept ` +
        'where kept.profile_id = base.profile_id ' +
        'and kept.due is distinct from unix_micros(base.due_at))',
    ],
    ['stream_image', among('key', 'emptied')],
    ['identifier_image', among('key', 'names')],
    [
      'component_image',
      `(${among('key', 'components')} and recorded_by < ${batch}) ` +
        `or ${among('key', 'names')} or exists (select 1 ` +
        'from erased_quoted where strpos(base.image, item) > 0)',
    ],
    ['profile_image', among('key', 'names')],
  ]
}

function versionCondition(table: VersionedName, batch: number): string {
  const has = (name: string) => TABLES[table].columns.some((column) => column.name === name)
  if (table === 'event_profile') {
    // A session is called by its first event.
    return [
      among('event_id', 'events'),
      among('session_id', 'events'),
      among('profile_id', 'names'),
    ].join(' or ')
  }
  if (table === 'identity_conflict') {
    return [among('event_id', 'events'), among('kept', 'names'), among('refused', 'names')].join(
      ' or ',
    )
  }
  const ofPerson =
    `${among('profile_id', 'names')} or (superseded_at is not null and ${WAS_MIXED})` +
    (has('event_id') ? ` or ${among('event_id', 'events')}` : '')
  // Of versions that are not live too, a row goes with the transition it came from.
  const isOrphan = (column: string) =>
    `${ofPerson} or ${column} not in (select transition_id from transition_base)`
  if (table === 'state') return isOrphan('state_id')
  if (table === 'cycle') return isOrphan('closed_by')
  if (table !== 'identity') return ofPerson
  // What this batch took back had counted erased events.
  return `${ofPerson} or superseded_by = ${batch} or ${among("namespace || ':' || value", 'names')}`
}
