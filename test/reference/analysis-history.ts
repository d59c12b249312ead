/**
 * Reference of the analysis views of people, quality and corrections: computed row by row from the
 * rows of the public views. Slow, independent of the SQL, and simple.
 */

import type { Row } from '../../pipeline/warehouse/warehouse.ts'
import { dateOf, dayOf, distinct, groups, type Transition } from './analysis.ts'

export type Session = {
  session_id: string
  profile_id: string
  source: string
  started_at: number
  event_count: number
}
type Rejection = { journey: string; version: number; reason: string; occurred_at: number }
export type Version = {
  row_id: string
  journey: string | null
  version: number | null
  profile_id: string | null
  happened_at: number
  recorded_at: number
  recorded_by: number
  superseded_at: number | null
  superseded_by: number | null
  superseded_because: string | null
}
export type History = {
  sessions: Session[]
  /** Every event with its profile. */
  sightings: { profile_id: string; occurred_at: number }[]
  transitions: Transition[]
  rejections: Rejection[]
  conflicts: { kept: string; refused: string; occurred_at: number }[]
  batches: { batch: number; recorded_at: number; watermark: number }[]
  /** All versions of a view's rows, by its name. */
  versions: { [view: string]: Version[] }
  personNamespaces: string[]
  watermark: number
}

const weekOf = (at: number) => Math.floor((dayOf(at) + 3) / 7)
const mondayOf = (week: number) => dateOf(week * 7 - 3)
const wholeMs = (from: number, to: number) => Math.trunc((to - from) / 1_000)

function retention({ sightings, watermark }: History): Row[] {
  const lives = groups(sightings, ({ profile_id }) => [profile_id]).map((seen) => {
    const weeks = new Set(seen.map(({ occurred_at }) => weekOf(occurred_at)))
    return { weeks, first: Math.min(...weeks), last: Math.max(...weeks) }
  })
  return groups(lives, ({ first }) => [first]).flatMap((cohort) => {
    const first = cohort[0]?.first ?? 0
    const rows: Row[] = []
    for (let week = first; week <= weekOf(watermark); week++) {
      const active = cohort.filter(({ weeks }) => weeks.has(week)).length
      const rolling = cohort.filter(({ last }) => last >= week).length
      rows.push({
        cohort_week: mondayOf(first),
        week_no: week - first,
        profile_count: cohort.length,
        active_count: active,
        rolling_count: rolling,
        n_day_rate: active / cohort.length,
        rolling_rate: rolling / cohort.length,
      })
    }
    return rows
  })
}

function stateErrorRate({ transitions, rejections }: History): Row[] {
  const moves = groups(
    transitions.filter(({ cause }) => cause === 'event'),
    ({ journey, version, event_id }) => [journey, version, event_id],
  ).map((same) => ({ ...(same[0] as Transition), reason: 'none' }))
  const key = (row: Rejection) => [row.journey, row.version, dayOf(row.occurred_at)]
  return groups([...moves, ...rejections], key).flatMap((asked) =>
    ['guard_failed', 'not_accepted'].map((reason) => {
      const rejected = asked.filter((row) => row.reason === reason).length
      return {
        journey: asked[0]?.journey,
        version: asked[0]?.version,
        day: dateOf(dayOf(asked[0]?.occurred_at as number)),
        reason,
        rejected_count: rejected,
        attempted_count: asked.length,
        error_rate: rejected / asked.length,
      }
    }),
  )
}

const namespaceOf = (identifier: string) => identifier.slice(0, identifier.indexOf(':'))

function identityConflictKinds({ conflicts }: History): Row[] {
  const key = ({ kept, refused }: { kept: string; refused: string }) => [
    namespaceOf(kept),
    namespaceOf(refused),
  ]
  return groups(conflicts, key).map((same) => {
    const times = same.map(({ occurred_at }) => occurred_at)
    return {
      kept_namespace: namespaceOf(same[0]?.kept as string),
      refused_namespace: namespaceOf(same[0]?.refused as string),
      conflict_count: same.length,
      kept_count: distinct(same, ({ kept }) => kept),
      refused_count: distinct(same, ({ refused }) => refused),
      first_at: Math.min(...times),
      last_at: Math.max(...times),
    }
  })
}

function recognitionRate({ sessions, personNamespaces }: History): Row[] {
  const isPerson = ({ profile_id }: Session) => personNamespaces.includes(namespaceOf(profile_id))
  const events = (visits: Session[]) => visits.reduce((sum, visit) => sum + visit.event_count, 0)
  return groups(sessions, (s) => [dayOf(s.started_at), s.source]).map((visits) => {
    const known = visits.filter(isPerson)
    const profiles = distinct(visits, ({ profile_id }) => profile_id)
    const persons = distinct(known, ({ profile_id }) => profile_id)
    return {
      day: dateOf(dayOf(visits[0]?.started_at as number)),
      source: visits[0]?.source,
      event_count: events(visits),
      person_event_count: events(known),
      event_rate: events(known) / events(visits),
      session_count: visits.length,
      person_session_count: known.length,
      session_rate: known.length / visits.length,
      profile_count: profiles,
      person_count: persons,
      profile_rate: persons / profiles,
    }
  })
}

function lateCorrections({ versions, batches }: History): Row[] {
  return Object.entries(versions).flatMap(([view, rows]) =>
    rows.flatMap((row) => {
      const { superseded_at, superseded_by, superseded_because } = row
      if (superseded_at === null || superseded_because === 'progress') return []
      const batch = batches.find((one) => one.batch === superseded_by)
      return [
        {
          view_name: view,
          row_id: row.row_id,
          journey: row.journey,
          version: row.version,
          profile_id: row.profile_id,
          happened_at: row.happened_at,
          recorded_at: row.recorded_at,
          superseded_at,
          superseded_because,
          how_late_ms: wholeMs(row.happened_at, batch?.watermark ?? 0),
          believed_ms: wholeMs(row.recorded_at, superseded_at),
          batch: superseded_by,
        },
      ]
    }),
  )
}

const COUNTED = ['transitions', 'cycles', 'rejections', 'sessions', 'funnel_attempts']

/** Returns what each batch changed in closed days, replayed version by version. */
function correctionsByDay({ versions, batches }: History): Row[] {
  return batches.flatMap(({ batch, recorded_at }, i) => {
    const before = batches[i - 1]?.watermark
    if (before === undefined) return []
    const over = (row: Version) => dayOf(row.happened_at) < dayOf(before)
    const changes = COUNTED.flatMap((view) => {
      const rows = (versions[view] ?? []).filter(over)
      const removed = rows.filter(
        (row) => row.superseded_by === batch && row.superseded_because !== 'progress',
      )
      const went = rows.filter(
        (row) => row.superseded_by === batch && row.superseded_because === 'progress',
      )
      const added = rows.filter(
        (row) => row.recorded_by === batch && !went.some(({ row_id }) => row_id === row.row_id),
      )
      return [
        ...removed.map((row) => ({ ...row, view, change: -1 })),
        ...added.map((row) => ({ ...row, view, change: 1 })),
      ]
    })
    type Change = (typeof changes)[number]
    const key = (c: Change) => [dayOf(c.happened_at), c.view, c.journey, c.version]
    return groups(changes, key).map((same) => {
      const removed = same.filter(({ change }) => change < 0)
      const because = (reason: string) =>
        removed.filter(({ superseded_because }) => superseded_because === reason).length
      const first = same[0] as Change
      return {
        day: dateOf(dayOf(first.happened_at)),
        view_name: first.view,
        journey: first.journey,
        version: first.version,
        batch,
        recorded_at,
        added_count: same.length - removed.length,
        removed_count: removed.length,
        net_change: same.reduce((sum, { change }) => sum + change, 0),
        late_event_count: because('late_event'),
        identity_count: because('identity'),
        rebuilt_count: because('rebuilt'),
      }
    })
  })
}

/** Expected rows by view. */
export const HISTORY: { [view: string]: (history: History) => Row[] } = {
  retention,
  state_error_rate: stateErrorRate,
  identity_conflict_kinds: identityConflictKinds,
  recognition_rate: recognitionRate,
  late_corrections: lateCorrections,
  corrections_by_day: correctionsByDay,
}
