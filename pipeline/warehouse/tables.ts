/**
 * Table catalogue: the columns of every table. DDL, Arrow schemas and the rows of the pipeline are
 * based on it, and the public views of `sql/views/` read its relations.
 *
 * Kinds of tables:
 * - a *versioned* table keeps every version of each row; versions of one row have the same
 *   `row_key`;
 * - a *log* is append-only, and its rows never change;
 * - a *private* table is internal state of the pipeline and not part of the contract.
 *
 * Columns marked private exist for the views and the pipeline and are in no public view.
 */

import {
  hidden,
  instant,
  integer,
  json,
  text,
  textOrNull,
  uuid,
  type Column,
  type TableSpec,
} from './column.ts'
import { runColumns, VERSIONED_TABLES } from './versioned-tables.ts'

export type { TableSpec } from './column.ts'

/** Columns of an image log: the state of one key per row. */
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
  ...VERSIONED_TABLES,
  /** Steps of released funnels, including those that nobody reached. */
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
  /** Outcomes of final states as they were declared; of one state the last counts. */
  outcomes: {
    kind: 'log',
    columns: [text('journey'), integer('version'), text('track'), text('state'), text('outcome')],
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
  /** Raw messages as delivered, in the columns of a BigQuery subscription. Such a subscription may
   * write here directly; `recorded_at` and `recorded_by` are null then. */
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
  /** Landed messages that a batch has applied. */
  applied_messages: {
    kind: 'private',
    columns: [text('subscription_name'), text('message_id'), instant('publish_time')],
  },
  /** Position up to which the outbox is published, per topic. */
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

/** Tables that several writers append to outside of batches. */
export type AppendedName = 'landed_messages' | 'effect_publication' | 'definitions_folder'

/** Tables whose rows are versions. */
export type VersionedName = {
  [T in TableName]: (typeof TABLES)[T]['kind'] extends 'versioned' ? T : never
}[TableName]

export function isVersioned(table: TableName): table is VersionedName {
  return TABLES[table].kind === 'versioned'
}

export const VERSIONED_NAMES = (Object.keys(TABLES) as TableName[]).filter(isVersioned)
