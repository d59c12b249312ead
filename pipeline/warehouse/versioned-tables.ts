/**
 * Columns of the versioned tables, which keep every version of each row. Versions of one row have
 * the same `row_key`.
 *
 * Hidden columns exist for the views and the pipeline and are in no public view.
 */

import {
  hidden,
  instant,
  instantOrNull,
  integer,
  key,
  text,
  textOrNull,
  uuid,
  type TableSpec,
} from './column.ts'

const rowKey = hidden(uuid('row_key'))

/** Columns by which views number instances: `instance_no` is the dense rank within the group. */
const instanceOrder = [
  hidden({ name: 'instance_group', type: 'hash64' }),
  hidden(instant('instance_started_at')),
  hidden(integer('instance_start_ordinal')),
  hidden(text('instance_start_event_id')),
]

/** Columns of the instance that a row belongs to. */
export const runColumns = [
  text('journey'),
  integer('version'),
  text('instance_id'),
  text('profile_id'),
] as const

export const VERSIONED_TABLES = {
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
      key('transition_id'),
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
      key('state_id'),
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
      key('cycle_id'),
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
      key('attempt_id'),
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
  /** Members by the last run of each cohort; `entered_at` is the event time of the evaluation. */
  cohort_member: {
    kind: 'versioned',
    view: 'cohort_members',
    versions: 'cohort_member_versions',
    columns: [rowKey, text('cohort'), text('profile_id'), instant('entered_at')],
  },
} as const satisfies { [table: string]: TableSpec }
