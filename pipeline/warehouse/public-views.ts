/**
 * The public views: their names, their columns in order, and a sentence on each.
 * `test/warehouse/public-views.test.ts` compares them with the views as they are made.
 */

import type { Column } from './column.ts'
import { COLUMN_DESCRIPTIONS, VIEW_DESCRIPTIONS } from './descriptions.ts'
import { sqlFiles } from './sql-files.ts'
import { TABLES, VERSIONED_NAMES, type TableSpec, type VersionedName } from './tables.ts'
import { assert } from '../base/errors.ts'

/** Columns of the views of `sql/views/` and `sql/analysis/`. */
const COLUMNS: { readonly [view: string]: string } = {
  batches: `batch recorded_at watermark origin read_count landed_count duplicate_count
    rejected_count inserted_count superseded_count effect_count`,
  cohort_changes: 'cohort version profile_id change reason evaluated_at recorded_at recorded_by',
  cohort_members: 'cohort profile_id entered_at',
  cohort_runs: `cohort version evaluated_at member_count entered_count left_count recorded_at
    recorded_by`,
  cycles: `cycle_id journey version instance_id profile_id track cycle_no anchor path length
    started_at ended_at duration_ms closed_by`,
  dead_letters: `dead_letter_id raw reason detail received_at origin recorded_at recorded_by
    resolved_at resolved_by`,
  effects: `effect_id kind status type payload transition_id journey version instance_id
    profile_id occurred_at recorded_at recorded_by`,
  erasures: 'kind salt identifier_hashes event_hashes counts recorded_at recorded_by',
  event_profiles: 'event_id profile_id session_id',
  events: `event_id name occurred_at ordinal received_at source identifiers properties context
    alias unlink recorded_at recorded_by`,
  funnel_attempt_steps: `attempt_id funnel journey version profile_id step_no step reached_at
    event_id`,
  funnel_attempts: `attempt_id funnel journey version profile_id instance_id attempt_no source
    entered_at event_id session_id deepest_step outcome ended_because ended_at converted_at
    time_to_convert_ms`,
  funnel_definitions: `funnel journey version step_no step is_optional count_by within_ms options
    recorded_at`,
  identities: 'namespace value profile_id first_seen_at last_seen_at event_count',
  identity_conflicts: 'event_id kept refused occurred_at',
  outcomes: 'journey version track state outcome recorded_at recorded_by',
  rejections: `event_id event_name journey version instance_id profile_id state reason occurred_at
    session_id`,
  releases: 'kind id version action hash content reason released_by recorded_at recorded_by',
  sessions: `session_id stream profile_id session_no started_at ended_at event_count first_event
    last_event source started_because`,
  states: `state_id journey version instance_id instance_no profile_id track state visit
    entered_at exited_at exited_by is_final`,
  transitions: `transition_id journey version instance_id instance_no profile_id track seq cause
    from_state to_state event_id event_name source session_id occurred_at dwell_ms visit`,
  calendar: 'day week day_no week_no',
  channel_switches: `journey version from_source to_source switch_count instance_count
    profile_count`,
  corrections_by_day: `day view_name journey version batch recorded_at added_count removed_count
    net_change late_event_count identity_count rebuilt_count`,
  cycle_summary: `journey version track path anchor length cycle_count profile_count
    instance_count median_duration_ms p90_duration_ms total_duration_ms converted_count
    converted_rate lost_count pending_count lost_profile_count`,
  daily_cycles: 'journey version track day source path cycle_count total_duration_ms',
  daily_paths: 'journey version track day source path outcome instance_count',
  daily_states: 'day journey version track state entered_count exited_count instance_count',
  daily_transitions: `journey version track day source from_state to_state cause
    transition_count`,
  final_states: 'journey version track state outcome',
  funnel_attempt_units: `funnel journey version count_by unit attempt_id profile_id attempt_no
    source entered_at event_id deepest_step outcome ended_because ended_at converted_at
    time_to_convert_ms within_ms options`,
  funnel_by_source: `funnel journey version count_by touch source entered converted dropped
    pending rate_of_all matured_count matured_converted_count matured_rate matured_rate_low
    matured_rate_high options`,
  funnel_conversion: `funnel journey version count_by within_ms entered converted dropped pending
    rate_of_all matured_count matured_converted_count matured_rate matured_rate_low
    matured_rate_high options`,
  funnel_conversion_by_age: `funnel journey version count_by age_ms at_risk converted_count
    ended_count open_share converted_share ended_share`,
  funnel_daily: `funnel journey version day count_by entered converted dropped pending rate_of_all
    matured_count matured_converted_count matured_rate matured_rate_low matured_rate_high
    median_time_to_convert_ms options`,
  funnel_paths: `funnel journey version day source steps outcome is_matured unit_count`,
  funnel_steps: `funnel journey version step_no step is_optional count_by reached went_on
    converted dropped pending rate_of_all matured_count matured_converted_count matured_rate
    matured_rate_low matured_rate_high median_since_previous_ms p90_since_previous_ms options`,
  funnel_unit_steps: 'funnel journey unit steps',
  funnel_units: `funnel journey version count_by unit attempt_id attempt_count profile_id source
    entered_at event_id deepest_step outcome ended_because ended_at converted_at
    time_to_convert_ms within_ms is_matured options`,
  identity_conflict_kinds: `kept_namespace refused_namespace conflict_count kept_count
    refused_count first_at last_at`,
  laps: `journey version track anchor path lap_no instance_count converted_count converted_rate
    lost_count leaving_count leaving_converted_count median_time_to_convert_ms`,
  late_corrections: `view_name row_id journey version profile_id happened_at recorded_at
    superseded_at superseded_because how_late_ms believed_ms batch`,
  next_after_drop_off: `journey version track drop_off from_state to_state next_cause next_event
    next_state drop_off_count profile_count share median_next_after_ms`,
  path_variants: `journey version track path length instance_count profile_count coverage
    cumulative_coverage example_instance_id`,
  recognition_rate: `day source event_count person_event_count event_rate session_count
    person_session_count session_rate profile_count person_count profile_rate`,
  retention: 'cohort_week week_no profile_count active_count rolling_count n_day_rate rolling_rate',
  rework: `journey version track state entry_count self_loop_count repeat_count instance_count
    reworked_instance_count profile_count reworked_profile_count rework_rate`,
  sourced_transitions: `transition_id journey version instance_id track occurred_at source
    from_state to_state cause`,
  state_durations: `journey version track state visit is_final completed_count median_ms p90_ms
    still_inside_count`,
  state_error_rate: 'journey version day reason rejected_count attempted_count error_rate',
  stuck: `state_id journey version track state visit profile_id instance_id entered_at inside_ms
    p90_ms`,
  survival: 'journey version track state age_ms at_risk left_count share_inside',
  transition_matrix: `journey version track from_state to_state cause transition_count
    profile_count probability share_of_stays`,
}

export const SUPERSEDED = ['superseded_at', 'superseded_by', 'superseded_because'] as const

/** Public view and its columns in order, with a description each. */
export type DescribedView = {
  name: string
  about: string
  columns: { name: string; about: string }[]
}

let described: ReadonlyMap<string, DescribedView> | null = null

/** Returns the public views by ascending name. */
export function publicViews(): ReadonlyMap<string, DescribedView> {
  if (described !== null) return described
  const files = [...sqlFiles('views'), ...sqlFiles('analysis')]
  described = new Map(
    [...files.map(({ name }) => currentView(name)), ...VERSIONED_NAMES.map(versionsView)]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((view) => [view.name, view]),
  )
  return described
}

/** Returns whether a relation is a public view, or such a view as of an instant. */
export function isPublic(relation: string): boolean {
  const end = relation.endsWith(AS_OF) ? -AS_OF.length : undefined
  return publicViews().has(relation.slice(0, end))
}

const AS_OF = '_as_of'

/** Returns the columns of the view of all versions of a table. */
export function versionsColumns(table: VersionedName): string[] {
  const columns: readonly Column[] = TABLES[table].columns
  const shown = columns.filter((column) => column.private !== true).map(({ name }) => name)
  return [...shown, 'recorded_at', 'recorded_by', ...SUPERSEDED]
}

function currentView(name: string): DescribedView {
  const columns = COLUMNS[name]
  assert(columns !== undefined, `public-views.ts lists the columns of ${name}`)
  return describedView(name, name, VIEW_DESCRIPTIONS[name], columns.split(/\s+/))
}

function versionsView(table: VersionedName): DescribedView {
  const { view, versions }: TableSpec = TABLES[table]
  const about = `Every version of the rows of \`${view}\`, current and superseded.`
  return describedView(versions as string, view as string, about, versionsColumns(table))
}

/** `current` is the view whose columns have the same meaning. */
function describedView(
  name: string,
  current: string,
  about: string | undefined,
  columns: string[],
): DescribedView {
  assert(about !== undefined, `descriptions.ts describes ${name}`)
  return {
    name,
    about,
    columns: columns.map((column) => {
      const text = COLUMN_DESCRIPTIONS[`${current}.${column}`] ?? COLUMN_DESCRIPTIONS[column]
      assert(text !== undefined, `descriptions.ts describes ${name}.${column}`)
      return { name: column, about: text }
    }),
  }
}
