/**
 * What of a DuckDB file goes with an erased person; inside the transaction that has already
 * appended what the tables become without him.
 *
 * A version goes when it is of the person's profile, or when it was believed of another's profile
 * while one of the erased events counted as that profile's and is believed no more: it may tell
 * of him. All image logs are cut to their latest images, because older ones may name him.
 */

import type { DuckDBFile } from './duckdb-file.ts'
import { compactStatements, foldStatements, storageOf } from './duckdb-schema.ts'
import { imageTable } from './commit.ts'
import { TABLES, VERSIONED_NAMES, type TableName, type VersionedName } from './tables.ts'
import { IMAGE_KINDS, type ErasedRows, type Erasure } from './warehouse.ts'

const LISTS = ['events', 'names', 'streams', 'emptied', 'components', 'letters'] as const

const among = (column: string, list: (typeof LISTS)[number]) =>
  `${column} in (select item from erased_${list})`

/** The row's profile had an erased event when the row was recorded. */
const WAS_MIXED =
  'exists (select 1 from erased_belief as belief where belief.profile_id = base.profile_id ' +
  'and belief.since <= base.recorded_by ' +
  'and (belief.until is null or belief.until > base.recorded_by))'

/** Deletes the rows and tells how many of each table there were. */
export async function eraseRows(
  file: DuckDBFile,
  batch: number,
  erasure: Erasure,
): Promise<ErasedRows> {
  for (const list of LISTS) await fillList(file, `erased_${list}`, erasure[list])
  await fillDues(file, erasure.dues)
  await fillMessages(file, erasure.messages)
  file.dropAppenders()
  for (const table of VERSIONED_NAMES) {
    for (const statement of foldStatements(table)) await file.run(statement)
  }
  await file.run(
    'create or replace temp table erased_belief as select distinct profile_id, ' +
      'recorded_by as since, superseded_by as until from event_profile_base ' +
      `where ${among('event_id', 'events')}`,
  )
  for (const kind of IMAGE_KINDS) {
    for (const statement of compactStatements(imageTable(kind))) await file.run(statement)
  }
  const counts: ErasedRows = {}
  for (const [table, condition] of conditions(batch)) {
    const [deleted] = await file.query(
      `delete from ${storageOf(table)} as base where ${condition}`,
    )
    const count = deleted?.['Count'] as number
    if (count > 0) counts[table] = count
  }
  for (const list of [...LISTS, 'due', 'message', 'belief']) {
    await file.run(`drop table erased_${list}`)
  }
  return counts
}

async function fillList(file: DuckDBFile, name: string, items: readonly string[]): Promise<void> {
  await file.run(`create or replace temp table ${name} (item varchar)`)
  await file.query(
    `insert into ${name} select unnest(from_json(cast($1 as json), '["VARCHAR"]'))`,
    [JSON.stringify(items)],
  )
}

/** Timers that profiles keep. */
async function fillDues(file: DuckDBFile, dues: Erasure['dues']): Promise<void> {
  await file.run('create or replace temp table erased_due (profile_id varchar, due bigint)')
  await file.query(
    'insert into erased_due select row.profile, row.due from (select unnest(from_json(' +
      `cast($1 as json), '[{"profile": "VARCHAR", "due": "BIGINT"}]')) as row)`,
    [JSON.stringify(dues)],
  )
}

async function fillMessages(file: DuckDBFile, messages: Erasure['messages']): Promise<void> {
  await file.run(
    'create or replace temp table erased_message ' +
      '(subscription_name varchar, message_id varchar, published bigint)',
  )
  await file.query(
    'insert into erased_message select row.* from (select unnest(from_json(cast($1 as json), ' +
      `'[{"subscription": "VARCHAR", "id": "VARCHAR", "published": "BIGINT"}]')) as row)`,
    [
      JSON.stringify(
        messages.map(({ subscription_name, message_id, publish_time }) => ({
          subscription: subscription_name,
          id: message_id,
          published: publish_time,
        })),
      ),
    ],
  )
}

/** What of each table goes. Transitions before effects: an effect goes with its transition. */
function conditions(batch: number): [table: TableName, condition: string][] {
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
    ['dead_letters', among('cast(dead_letter_id as varchar)', 'letters')],
    ['dead_letter_resolution', among('cast(dead_letter_id as varchar)', 'letters')],
    [
      'landed_messages',
      `recorded_by is distinct from ${batch} and exists (select 1 from erased_message as cut ` +
        'where cut.subscription_name = base.subscription_name ' +
        'and cut.message_id = base.message_id ' +
        'and cut.published = epoch_us(base.publish_time))',
    ],
    ['history', `${among('stream', 'streams')} and recorded_by < ${batch}`],
    [
      'timer',
      `${among('profile_id', 'names')} or exists (select 1 from erased_due as kept ` +
        'where kept.profile_id = base.profile_id ' +
        'and kept.due is distinct from epoch_us(base.due_at))',
    ],
    ['stream_image', among('key', 'emptied')],
    ['identifier_image', among('key', 'names')],
    [
      'component_image',
      `(${among('key', 'components')} and recorded_by < ${batch}) or exists (select 1 ` +
        'from erased_names where contains(base.image, cast(to_json(item) as varchar)))',
    ],
    ['profile_image', among('key', 'names')],
  ]
}

function versionCondition(table: VersionedName, batch: number): string {
  const has = (name: string) => TABLES[table].columns.some((column) => column.name === name)
  if (table === 'event_profile') {
    return `${among('event_id', 'events')} or ${among('profile_id', 'names')}`
  }
  if (table === 'identity_conflict') {
    return [
      among('event_id', 'events'),
      among('kept', 'names'),
      among('refused', 'names'),
    ].join(' or ')
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
