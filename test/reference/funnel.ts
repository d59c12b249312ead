/**
 * Reference of funnels, without code of the pipeline: converts histories to things that can match
 * steps, and attempts to rows. `attempts.ts` walks them, and `clickhouse-funnel.ts` implements
 * ClickHouse's semantics.
 */

import type {
  EventFunnel,
  EventStep,
  JourneyFunnel,
  StateStep,
  EventGuard,
} from '../../pipeline/definition/funnel.ts'
import { tracksOf, type Journey } from '../../pipeline/definition/journey.ts'
import type { Json } from '../../pipeline/base/json.ts'
import { compare } from './compare.ts'
import { at as valueAt, atPath, byCodePoint, micros, type AcceptedEvent } from './identity.ts'
import { tied, walksOf, type Rules, type Thing, type Walk } from './attempts.ts'
import { clickhouseWalk } from './clickhouse-funnel.ts'
import { posthogWalk } from './posthog-funnel.ts'

type Row = { [column: string]: Json }

export type Seen = { event: AcceptedEvent; profile_id: string; session_id: string }

/** Returns `funnel_attempts` and `funnel_attempt_steps`. `transitions` are the reference's rows. */
export function funnelTables(
  definitions: { journeys: Journey[]; funnels?: EventFunnel[] },
  seen: Seen[],
  transitions: Row[],
  watermark: number,
): { funnel_attempts: Row[]; funnel_attempt_steps: Row[] } {
  const attempts: Row[] = []
  const steps: Row[] = []
  const ordinals = new Map(seen.map(({ event }) => [event.event_id, event.ordinal]))
  for (const profile of new Set(seen.map(({ profile_id }) => profile_id))) {
    const own = seen.filter(({ profile_id }) => profile_id === profile)
    const moves = transitions.filter((row) => row['profile_id'] === profile)
    const found = (definitions.funnels ?? []).map((funnel) => funnelRows(funnel, own, watermark))
    for (const journey of definitions.journeys) {
      const walked = moves.filter((row) => row['journey'] === journey.id)
      const ordinalOf = (id: string) => ordinals.get(id) ?? 0
      for (const [id, funnel] of Object.entries(journey.funnels ?? {})) {
        found.push(journeyFunnelRows(journey, id, funnel, walked, ordinalOf, watermark))
      }
    }
    for (const [rows = [], reached = []] of found) {
      const names = number(rows)
      attempts.push(...rows)
      for (const row of reached) {
        steps.push({ ...row, attempt_id: names.get(row['attempt_id']) ?? '' })
      }
    }
  }
  return { funnel_attempts: attempts, funnel_attempt_steps: steps }
}

/** Numbers the attempts of a profile at a funnel. Returns the names by number. */
function number(rows: Row[]): Map<unknown, string> {
  const text = (row: Row, column: string) => (row[column] as string | null) ?? ''
  rows.sort(
    (a, b) =>
      (a['entered_at'] as number) - (b['entered_at'] as number) ||
      (a['ordinal'] as number) - (b['ordinal'] as number) ||
      byCodePoint(text(a, 'event_id'), text(b, 'event_id')) ||
      byCodePoint(text(a, 'instance_id'), text(b, 'instance_id')) ||
      (a['cause'] as number) - (b['cause'] as number),
  )
  const names = new Map<unknown, string>()
  rows.forEach((row, i) => {
    row['attempt_no'] = i + 1
    names.set(row['attempt_id'], attemptName(row))
    row['attempt_id'] = attemptName(row)
    delete row['ordinal']
    delete row['cause']
  })
  return names
}

/** Returns the text that an attempt's id is the hash of. */
export function attemptName(row: { [column: string]: unknown }): string {
  return ['funnel', 'journey', 'profile_id', 'attempt_no'].map((name) => row[name]).join('|')
}

/** Returns the rows of one profile. */
export function funnelRows(funnel: EventFunnel, seen: Seen[], watermark: number): Row[][] {
  const profile = seen[0]?.profile_id ?? ''
  const steps = funnel.steps.map((step): EventStep =>
    typeof step === 'string' ? { event: step } : step,
  )
  const paths = funnel.holdConstant ?? []
  const things = seen.map(({ event, session_id }): Thing => {
    const values = paths.map((path) => heldText(event, path))
    const held = values.includes(null) ? null : JSON.stringify(values)
    const isStep = (step: EventStep) => step.event === event.name && asked(step.where, event)
    return {
      at: event.occurred_at,
      ordinal: event.ordinal,
      cause: 1,
      eventId: event.event_id,
      source: event.source,
      session: session_id,
      scope: funnel.count === 'sessions' ? session_id : '',
      held,
      steps: held === null ? [] : steps.flatMap((step, i) => (isStep(step) ? [i] : [])),
      exclusions: (funnel.exclude ?? []).filter(
        (one) => one.event === event.name && asked(one.where, event),
      ),
      isLater: false,
    }
  })
  const owner = { funnel: funnel.id, journey: null, version: funnel.version ?? 1 }
  const named = { ...owner, profile_id: profile }
  const names = steps.map(({ event }) => event)
  if (funnel.semantics === 'posthog') {
    const isStrict = funnel.order === 'strict'
    const posthog = { steps, within: micros(funnel.within), isStrict }
    const walk = posthogWalk(things, posthog, watermark)
    return tables(walk === null ? [] : [walk], named, names, false)
  }
  if (funnel.semantics !== undefined && funnel.semantics !== 'native') {
    const modes = funnel.semantics === 'clickhouse' ? [] : funnel.semantics.clickhouse
    const walk = clickhouseWalk(things, steps.length, micros(funnel.within), modes, watermark)
    return tables(walk === null ? [] : [walk], named, names, false)
  }
  const rules: Rules = {
    steps: steps.map(({ event, ...limits }) => ({ name: event, ...limits })),
    within: micros(funnel.within),
    order: funnel.order ?? 'sequential',
    entry: funnel.entry ?? 'every',
    ties: funnel.ties ?? 'step-order',
    completed: new Map(),
  }
  const groups = tied(things)
  const walks = walksOf(groups, rules, watermark)
  if (walks === 'removed') return [[], []]
  return tables(walks, named, names, rules.order === 'any')
}

/** Returns the rows of a journey's funnel for one profile. `transitions` are the reference's. */
export function journeyFunnelRows(
  journey: Journey,
  id: string,
  funnel: JourneyFunnel,
  transitions: Row[],
  ordinalOf: (eventId: string) => number,
  watermark: number,
): Row[][] {
  const steps = funnel.steps.map((step): StateStep =>
    typeof step === 'string' ? { state: step } : step,
  )
  const tracks = tracksOf(journey)
  const placeOf = (state: string): string => {
    const own = tracks.find(([name, { states }]) =>
      Object.keys(states).some((one) => one === state || `${name}.${one}` === state),
    )
    return state.includes('.') ? state : `${own?.[0]}.${state}`
  }
  const all: Row[][] = [[], []]
  const instances = new Set(transitions.map((row) => row['instance_id'] as string))
  for (const instance of instances) {
    const own = transitions.filter((row) => row['instance_id'] === instance)
    const standing = new Map(own.map((row) => [row['track'], row['to_state'] as string]))
    const isComplete = tracks.every(
      ([name, { states }]) => states[standing.get(name) ?? '']?.type === 'final',
    )
    const things = own.map((row): Thing => {
      const place = `${String(row['track'])}.${String(row['to_state'])}`
      return {
        at: row['occurred_at'] as number,
        ordinal: row['event_id'] === null ? 0 : ordinalOf(row['event_id'] as string),
        cause: ['start', 'event', 'timeout'].indexOf(row['cause'] as string),
        eventId: row['event_id'] as string | null,
        source: row['source'] as string | null,
        session: row['session_id'] as string | null,
        scope: instance,
        held: '',
        steps: steps.flatMap(({ state }, i) => (placeOf(state) === place ? [i] : [])),
        exclusions: [],
        isLater: row['visit'] !== 1,
      }
    })
    const rules: Rules = {
      steps: steps.map(({ state, ...limits }) => ({ name: state, ...limits })),
      within: funnel.within === undefined ? Infinity : micros(funnel.within),
      order: funnel.order ?? 'sequential',
      entry: funnel.entry ?? 'first',
      ties: 'step-order',
      completed: new Map(isComplete ? [[instance, things.at(-1)?.at ?? 0]] : []),
    }
    const walks = walksOf(
      things.map((thing) => [thing]),
      rules,
      watermark,
    )
    const named = {
      funnel: id,
      journey: journey.id,
      version: journey.version,
      profile_id: own[0]?.['profile_id'] ?? null,
    }
    const names = steps.map(({ state }) => state)
    const rows = tables(walks === 'removed' ? [] : walks, named, names, false, instance)
    rows.forEach((list, i) => all[i]?.push(...list))
  }
  return all
}

function heldText(event: AcceptedEvent, path: string): string | null {
  const value = atPath(event, path)
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null
}

function asked(where: EventGuard | undefined, event: AcceptedEvent): boolean {
  if (where === undefined) return true
  if ('all' in where) return where.all.every((part) => asked(part, event))
  if ('any' in where) return where.any.some((part) => asked(part, event))
  if ('not' in where) return !asked(where.not, event)
  if ('property' in where) return compare(valueAt(event.properties, where.property), where)
  if ('context' in where) return compare(valueAt(event.context, where.context), where)
  return compare(event[where.field], where)
}

/** Returns `funnel_attempts` without numbers and ids, which `numbered` adds, and their steps. */
function tables(
  walks: Walk[],
  named: Row,
  names: string[],
  isAny: boolean,
  instance: string | null = null,
): Row[][] {
  const attempts: Row[] = []
  const steps: Row[] = []
  for (const [i, { reached, because, endedAt }] of walks.entries()) {
    const entry = reached[0]?.thing as Thing
    const last = reached.at(-1) as Walk['reached'][number]
    const isConverted = because === 'converted'
    const id = `${String(named['profile_id'])}|${instance ?? ''}|${i}`
    attempts.push({
      attempt_id: id,
      ...named,
      instance_id: instance,
      source: entry.source,
      entered_at: entry.at,
      event_id: entry.eventId,
      session_id: entry.session,
      deepest_step: isAny ? reached.length : last.step + 1,
      outcome: because === null ? 'pending' : isConverted ? 'converted' : 'dropped',
      ended_because: because ?? 'pending',
      ended_at: endedAt,
      converted_at: isConverted ? last.thing.at : null,
      time_to_convert_ms: isConverted ? Math.floor((last.thing.at - entry.at) / 1000) : null,
      ordinal: entry.ordinal,
      cause: entry.cause,
    })
    reached.forEach(({ step, thing }, r) =>
      steps.push({
        attempt_id: id,
        ...named,
        step_no: isAny ? r + 1 : step + 1,
        step: names[step] ?? null,
        reached_at: thing.at,
        event_id: thing.eventId,
      }),
    )
  }
  return [attempts, steps]
}
