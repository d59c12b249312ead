/**
 * Every table's columns, once. DDL, Arrow schemas and the rows the pipeline builds come from here;
 * the public views of `sql/views/` are written over the relations these tables give.
 *
 * Three kinds of table:
 * - a *versioned* table keeps every version ever believed of each row, all under one `row_key`;
 * - a *log* is append-only and means what it says for ever;
 * - a *private* table is the pipeline's own memory and no contract.
 *
 * Columns marked private exist for the views and the pipeline and are in no public view.
 */

import {
  hidden,
  instant,
  instantOrNull,
  integer,
  json,
  text,
  textOrNull,
  uuid,
  type Column,
} from './column.ts'

export type TableSpec = {
  kind: 'versioned' | 'log' | 'private'
  /** Of a versioned table: the public names of its current rows and of all its versions. */
  view?: string
  versions?: string
  columns: readonly Column[]
}

const rowKey = hidden(uuid('row_key'))

/** What the views number instances by: `instance_no` is the dense rank within the group. */
const instanceOrder = [
  hidden({ name: 'instance_group', type: 'hash64' }),
  hidden(instant('instance_started_at')),
  hidden(integer('instance_start_ordinal')),
  hidden(text('instance_start_event_id')),
]

/** The run of a journey that a row belongs to. */
const runColumns = [
  text('journey'),
  integer('version'),
  text('instance_id'),
  text('profile_id'),
] as const

/** An image: the checkpoint of one key, and the log of them. */
const imageColumns = [{ name: 'k', type: 'hash64' } as Column, text('key'), text('image')]

export const TABLES = {
  events: {
    kind: 'log',
    columns: [
      text('event_id'),
      text('name'),
      instant('occurred_at'),
      integer('ordinal'),
      instant('received_at'),
      text('source'),
      json('identifiers'),
      json('properties'),
      json('context'),
      { name: 'alias', type: 'json', nullable: true },
      { name: 'unlink', type: 'json', nullable: true },
      hidden({ name: 'event_hash', type: 'hash64' }),
      hidden({ name: 'fingerprint', type: 'hash64' }),
    ],
  },
  event_profile: {
    kind: 'versioned',
    view: 'event_profiles',
    versions: 'event_profile_versions',
    columns: [rowKey, text('event_id'), text('profile_id'), text('session_id')],
  },
  session: {
    kind: 'versioned',
    view: 'sessions',
    versions: 'session_versions',
    columns: [
      rowKey,
      text('session_id'),
      text('stream'),
      text('profile_id'),
      instant('started_at'),
      instant('ended_at'),
      integer('event_count'),
      text('first_event'),
      text('last_event'),
      text('source'),
      text('started_because'),
      hidden(integer('start_ordinal')),
    ],
  },
  identity: {
    kind: 'versioned',
    view: 'identities',
    versions: 'identity_versions',
    columns: [
      rowKey,
      text('namespace'),
      text('value'),
      text('profile_id'),
      instant('first_seen_at'),
      instant('last_seen_at'),
      integer('event_count'),
    ],
  },
  identity_conflict: {
    kind: 'versioned',
    view: 'identity_conflicts',
    versions: 'identity_conflict_versions',
    columns: [rowKey, text('event_id'), text('kept'), text('refused'), instant('occurred_at')],
  },
  transition: {
    kind: 'versioned',
    view: 'transitions',
    versions: 'transition_facts',
    columns: [
      rowKey,
      uuid('transition_id'),
      ...runColumns,
      text('track'),
      integer('seq'),
      text('cause'),
      textOrNull('from_state'),
      text('to_state'),
      textOrNull('event_id'),
      textOrNull('event_name'),
      textOrNull('source'),
      textOrNull('session_id'),
      instant('occurred_at'),
      { name: 'dwell_ms', type: 'integer', nullable: true },
      integer('visit'),
      ...instanceOrder,
    ],
  },
  state: {
    kind: 'versioned',
    view: 'states',
    versions: 'state_versions',
    columns: [
      rowKey,
      uuid('state_id'),
      ...runColumns,
      text('track'),
      text('state'),
      integer('visit'),
      instant('entered_at'),
      instantOrNull('exited_at'),
      { name: 'exited_by', type: 'uuid', nullable: true },
      { name: 'is_final', type: 'boolean' },
      ...instanceOrder,
    ],
  },
  cycle: {
    kind: 'versioned',
    view: 'cycles',
    versions: 'cycle_facts',
    columns: [
      rowKey,
      uuid('cycle_id'),
      ...runColumns,
      text('track'),
      integer('cycle_no'),
      text('anchor'),
      text('path'),
      integer('length'),
      instant('started_at'),
      instant('ended_at'),
      integer('duration_ms'),
      uuid('closed_by'),
    ],
  },
  rejection: {
    kind: 'versioned',
    view: 'rejections',
    versions: 'rejection_facts',
    columns: [
      rowKey,
      text('event_id'),
      text('event_name'),
      ...runColumns,
      text('state'),
      text('reason'),
      instant('occurred_at'),
      text('session_id'),
    ],
  },
  funnel_attempt: {
    kind: 'versioned',
    view: 'funnel_attempts',
    versions: 'funnel_attempt_versions',
    columns: [
      rowKey,
      uuid('attempt_id'),
      text('funnel'),
      textOrNull('journey'),
      integer('version'),
      text('profile_id'),
      textOrNull('instance_id'),
      textOrNull('source'),
      instant('entered_at'),
      textOrNull('event_id'),
      textOrNull('session_id'),
      integer('deepest_step'),
      text('outcome'),
      text('ended_because'),
      instantOrNull('ended_at'),
      instantOrNull('converted_at'),
      { name: 'time_to_convert_ms', type: 'integer', nullable: true },
      hidden(integer('entry_ordinal')),
      hidden(integer('entry_cause')),
    ],
  },
  funnel_attempt_step: {
    kind: 'versioned',
    view: 'funnel_attempt_steps',
    versions: 'funnel_attempt_step_versions',
    columns: [
      rowKey,
      uuid('attempt_id'),
      text('funnel'),
      textOrNull('journey'),
      integer('version'),
      text('profile_id'),
      integer('step_no'),
      text('step'),
      instant('reached_at'),
      textOrNull('event_id'),
    ],
  },
  /** The steps of released funnels, whether anybody reached them or not. */
  funnel_definitions: {
    kind: 'log',
    columns: [
      text('funnel'),
      textOrNull('journey'),
      integer('version'),
      integer('step_no'),
      textOrNull('step'),
      { name: 'is_optional', type: 'boolean' },
      text('count_by'),
      { name: 'within_ms', type: 'integer', nullable: true },
      json('options'),
    ],
  },
  /** Who the last run of each cohort found; `entered_at` is the event time it was asked for. */
  cohort_member: {
    kind: 'versioned',
    view: 'cohort_members',
    versions: 'cohort_member_versions',
    columns: [rowKey, text('cohort'), text('profile_id'), instant('entered_at')],
  },
  cohort_changes: {
    kind: 'log',
    columns: [
      text('cohort'),
      integer('version'),
      text('profile_id'),
      text('change'),
      text('reason'),
      instant('evaluated_at'),
    ],
  },
  cohort_runs: {
    kind: 'log',
    columns: [
      text('cohort'),
      integer('version'),
      instant('evaluated_at'),
      integer('member_count'),
      integer('entered_count'),
      integer('left_count'),
    ],
  },
  effects: {
    kind: 'log',
    columns: [
      uuid('effect_id'),
      text('kind'),
      text('status'),
      text('type'),
      json('payload'),
      uuid('transition_id'),
      ...runColumns,
      instant('occurred_at'),
      hidden(integer('effect_no')),
    ],
  },
  dead_letters: {
    kind: 'log',
    columns: [
      uuid('dead_letter_id'),
      { name: 'raw', type: 'bytes' },
      text('reason'),
      text('detail'),
      instant('received_at'),
      text('origin'),
    ],
  },
  dead_letter_resolution: { kind: 'private', columns: [uuid('dead_letter_id')] },
  releases: {
    kind: 'log',
    columns: [
      text('kind'),
      text('id'),
      integer('version'),
      text('action'),
      text('hash'),
      json('content'),
      text('reason'),
      textOrNull('released_by'),
    ],
  },
  batches: {
    kind: 'log',
    columns: [
      integer('batch'),
      { name: 'watermark', type: 'instant', nullable: true },
      text('origin'),
      integer('read_count'),
      integer('landed_count'),
      integer('duplicate_count'),
      integer('rejected_count'),
      integer('inserted_count'),
      integer('superseded_count'),
      integer('effect_count'),
    ],
  },
  erasures: {
    kind: 'log',
    columns: [
      text('kind'),
      text('salt'),
      json('identifier_hashes'),
      json('event_hashes'),
      json('counts'),
    ],
  },
  history: {
    kind: 'private',
    columns: [{ name: 'k', type: 'hash64' }, text('stream'), text('segment')],
  },
  timer: { kind: 'private', columns: [instant('due_at'), text('profile_id')] },
  /** Raw messages as delivered, in the columns of a BigQuery subscription, which may write here
   * too; the two stamps are null then. */
  landed_messages: {
    kind: 'private',
    columns: [
      text('subscription_name'),
      text('message_id'),
      instant('publish_time'),
      { name: 'data', type: 'bytes' },
      json('attributes'),
    ],
  },
  /** Landed messages that a batch was made of. */
  applied_messages: {
    kind: 'private',
    columns: [text('subscription_name'), text('message_id'), instant('publish_time')],
  },
  /** How far the outbox has been published to a topic. */
  effect_publication: {
    kind: 'private',
    columns: [text('topic'), integer('batch'), integer('effect_no')],
  },
  /** Folders that definitions were read from, as absolute paths; the latest is the default. */
  definitions_folder: { kind: 'private', columns: [text('path')] },
  stream_image: { kind: 'private', columns: imageColumns },
  identifier_image: { kind: 'private', columns: imageColumns },
  component_image: { kind: 'private', columns: imageColumns },
  profile_image: { kind: 'private', columns: imageColumns },
} as const satisfies { [table: string]: TableSpec }

export type TableName = keyof typeof TABLES

/** Tables that are appended to outside batches, by several writers at once. */
export type AppendedName = 'landed_messages' | 'effect_publication' | 'definitions_folder'

/** Tables whose rows are versions. */
export type VersionedName = {
  [T in TableName]: (typeof TABLES)[T]['kind'] extends 'versioned' ? T : never
}[TableName]

/** Columns of a table as a union of names. */
export type ColumnName<T extends TableName> = (typeof TABLES)[T]['columns'][number]['name']

export function isVersioned(table: TableName): table is VersionedName {
  return TABLES[table].kind === 'versioned'
}

export const VERSIONED_NAMES = (Object.keys(TABLES) as TableName[]).filter(isVersioned)
