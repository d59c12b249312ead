/**
 * Input of cohorts, profile by profile from the public views: transitions up to an instant of event
 * time, as believed now or at an instant of knowledge time. Memory is bounded by the largest
 * profile.
 */

import type { CompiledCohorts, Move } from '../definition/compile-cohort.ts'
import { believed } from './as-of.ts'
import { type Json, valueAt } from '../base/json.ts'
import type { Row, Warehouse } from '../warehouse/warehouse.ts'

export type CohortProfile = {
  id: string
  /** First event of the profile; loaded only if a cohort can include profiles without transitions. */
  seenAt: number
  /** In time order. */
  moves: Move[]
  /** Loaded for runs: cohorts of which it is a member, and since when. */
  memberOf: Map<string, number>
  /** Loaded for runs: when events last moved to or from the profile; -Infinity for never. */
  touchedAt: number
}

/** Event time, and knowledge time (null: now), microseconds. */
export type Instants = { at: number; believedAt: number | null }

/** Loads members as of the last run, and profiles whose events moved since this instant. */
export type Since = { touchedSince: number }

/** Columns of a transition that are null in rows of other kinds. */
const EMPTY = [
  'instance_id',
  'track',
  'seq',
  'to_state',
  'cycle',
  'event_name',
  'source',
  'properties',
  'context',
]

/** Yields the profiles with a transition in the cohorts' journeys, and all profiles if a cohort can
 * include those without one. */
export async function* cohortProfiles(
  warehouse: Warehouse,
  compiled: CompiledCohorts,
  instants: Instants,
  since: Since | null,
): AsyncGenerator<CohortProfile> {
  const asksEverybody = compiled.cohorts.some((cohort) => cohort.asksEverybody)
  const { at, believedAt } = instants
  const relation = (view: string) => believed(warehouse, view, believedAt)
  const rows = warehouse.stream(profilesText(compiled, at, relation, since))
  let profile = null as CohortProfile | null
  for await (const chunk of rows) {
    for (const row of chunk) {
      const id = row['profile_id'] as string
      if (profile?.id !== id) {
        if (profile !== null) yield profile
        const seenAt = asksEverybody ? Infinity : -Infinity
        profile = { id, seenAt, moves: [], memberOf: new Map(), touchedAt: -Infinity }
      }
      addTo(profile, row, compiled.paths)
    }
  }
  if (profile !== null) yield profile
}

/** Returns the query: rows of several kinds, sorted by profile. `relation` is the name of a view at
 * the instant of knowledge time. */
export function profilesText(
  compiled: CompiledCohorts,
  at: number,
  relation: Relation,
  since: Since | null,
): string {
  const parts = [movesText(compiled, at, relation)]
  if (compiled.cohorts.some((cohort) => cohort.asksEverybody)) parts.push(seenText(at, relation))
  if (since !== null) parts.push(membersText(), touchedText(since.touchedSince))
  return `${parts.join(' union all ')} order by profile_id, kind, occurred_at, instance_id, seq`
}

function addTo(profile: CohortProfile, row: Row, paths: readonly string[]): void {
  const at = row['occurred_at'] as number
  if (row['kind'] === 'move') profile.moves.push(moveOf(row, paths))
  else if (row['kind'] === 'seen') profile.seenAt = at
  else if (row['kind'] === 'member') profile.memberOf.set(row['journey'] as string, at)
  else profile.touchedAt = at
}

function moveOf(row: Row, paths: readonly string[]): Move {
  const json = (column: string) => JSON.parse((row[column] as string | null) ?? 'null') as Json
  const event =
    paths.length === 0 ? {} : { properties: json('properties'), context: json('context') }
  return {
    journey: row['journey'] as string,
    instanceId: row['instance_id'] as string,
    track: row['track'] as string,
    state: row['to_state'] as string,
    at: row['occurred_at'] as number,
    cycle: row['cycle'] as string | null,
    name: row['event_name'] as string | null,
    source: row['source'] as string | null,
    operands: paths.map((path) => valueAt(event, path)),
  }
}

type Relation = (view: string) => string

function movesText({ cohorts, paths }: CompiledCohorts, at: number, relation: Relation): string {
  const journeys = [...new Set(cohorts.flatMap((cohort) => cohort.journeys))]
  const [objects, events] =
    paths.length === 0
      ? ['null as properties, null as context', '']
      : ['properties, context', 'left join events on events.event_id = moves.event_id']
  return `select moves.profile_id, 'move' as kind, moves.occurred_at, moves.journey,
      moves.instance_id, moves.track, moves.seq, moves.to_state, rounds.path as cycle,
      moves.event_name, moves.source, ${objects}
    from ${relation('transitions')} as moves
    left join ${relation('cycles')} as rounds on rounds.closed_by = moves.transition_id ${events}
    where moves.occurred_at <= timestamp_micros(${at})
      and moves.journey in (${journeys.map((id) => `'${id}'`).join(', ')})`
}

function seenText(at: number, relation: Relation): string {
  return `select profile_id, 'seen' as kind, ${filled('min(started_at)')}
    from ${relation('sessions')} where started_at <= timestamp_micros(${at}) group by profile_id`
}

function membersText(): string {
  return `select profile_id, 'member' as kind, ${filled('entered_at', 'cohort')}
    from cohort_members`
}

/** Selects profiles that lost or gained events through identity changes. */
function touchedText(since: number): string {
  const moved = `superseded_because = 'identity' and superseded_at > timestamp_micros(${since})`
  return `select profile_id, 'touched' as kind, ${filled('max(touched_at)')} from (
      select profile_id, superseded_at as touched_at from event_profile_versions where ${moved}
      union all
      select gained.profile_id, gained.recorded_at
      from event_profile_versions as gained
      inner join (select event_id, superseded_by from event_profile_versions where ${moved}) as lost
        on lost.event_id = gained.event_id and lost.superseded_by = gained.recorded_by
    ) as touches group by profile_id`
}

/** Fills the columns that rows of this kind do not have. */
function filled(occurredAt: string, journey = 'null'): string {
  const empty = EMPTY.map((name) => `null as ${name}`).join(', ')
  return `${occurredAt} as occurred_at, ${journey} as journey, ${empty}`
}
