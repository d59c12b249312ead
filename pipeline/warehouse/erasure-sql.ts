/**
 * Conditions for the rows of an erased person, over each table as `base`, in SQL that every engine
 * reads.
 *
 * A version is deleted if it belongs to the person's profile. It is also deleted if it belonged to
 * another profile while that profile owned one of the erased events, and is superseded: it may
 * contain data of the person. Image logs are first reduced to the latest images, because older ones
 * may too.
 *
 * The conditions apply to tables that include the rows of the commit, in this order: a condition
 * may assume that earlier tables are done. The engine provides the relations they use: stored
 * tables, versioned ones with their end, `erased_LIST (item)`, `erased_due (profile_id, due)` and
 * `erased_belief (profile_id, since, until)`.
 */

import { TABLES, VERSIONED_NAMES, type TableName, type VersionedName } from './tables.ts'
import type { Erasure, LandedKey } from './warehouse.ts'

const LISTS = ['events', 'names', 'streams', 'emptied', 'components', 'letters'] as const
type List = (typeof LISTS)[number] | 'quoted' | 'messages'

/** Returns the lists by name; `quoted` has the names as JSON strings. */
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

/** The same key for a row of `landed_messages`. */
const MESSAGE_TEXT =
  "subscription_name || ' ' || message_id || ' ' || cast(unix_micros(publish_time) as string)"

const among = (column: string, list: List) => `${column} in (select item from erased_${list})`

/** Profiles that owned the erased events, from one batch until another. */
export const BELIEF =
  'select distinct profile_id, recorded_by as since, superseded_by as until ' +
  `from event_profile_base where ${among('event_id', 'events')}`

/** Condition: the row's profile owned an erased event when the row was recorded. */
const WAS_MIXED =
  'exists (select 1 from erased_belief as belief where belief.profile_id = base.profile_id ' +
  'and belief.since <= base.recorded_by ' +
  'and (belief.until is null or belief.until > base.recorded_by))'

/** Returns the condition per table. Transitions come first, because effects are deleted with them. */
export function erasedRows(batch: number): [table: TableName, condition: string][] {
  return [
    ...VERSIONED_NAMES.map((table): [TableName, string] => [table, versionCondition(table, batch)]),
    // An effect and its retraction are deleted together, even if one of them belongs to another
    // profile.
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
    // The id of a session is the id of its first event.
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
  // Rows of versions that are not live are also deleted with the transition that caused them.
  const isOrphan = (column: string) =>
    `${ofPerson} or ${column} not in (select transition_id from transition_base)`
  if (table === 'state') return isOrphan('state_id')
  if (table === 'cycle') return isOrphan('closed_by')
  if (table !== 'identity') return ofPerson
  // Rows superseded by this batch had counted erased events.
  return `${ofPerson} or superseded_by = ${batch} or ${among("namespace || ':' || value", 'names')}`
}
