/**
 * Definitions → what the stages run on. The definitions must have passed the static checks;
 * compiling them is total and deterministic.
 */

import {
  compileFunnel,
  compileJourneyFunnels,
  namesOfFunnels,
  type CompiledFunnel,
} from './compile-funnel.ts'
import type { EventFunnel } from './funnel.ts'
import { compileGuard, type Names } from './guard.ts'
import { parseDuration } from './duration.ts'
import { eventPath } from './path.ts'
import {
  tracksOf,
  type Candidate,
  type Candidates,
  type Effect,
  type Journey,
  type State,
  type Track,
} from './journey.ts'
import type { Guard } from './guard-syntax.ts'
import type { Identity, Sessions } from './settings.ts'
import type { Cell, CompiledTrack, Machine, Timeout, Way } from './machine.ts'

export type Compiled = {
  identity: Identity
  /** Persons, then devices, in priority order. */
  namespaces: string[]
  sessions: SessionRules
  machines: Machine[]
  /** Funnels of events first, then those of the journeys. */
  funnels: CompiledFunnel[]
  /** Whether some funnel reads all events, whatever their names. */
  needsEveryEvent: boolean
  /** Paths whose values the stages read: `source`, `name`, `properties.a.b` or `context.x`.
   * Operands are numbered by their position here. */
  operandPaths: string[]
  /** Codes of the events that a journey knows or counts, or that a funnel names. */
  eventCodes: Map<string, number>
}

export function compile(parts: {
  identity: Identity
  sessions: Sessions
  journeys: Journey[]
  funnels?: EventFunnel[]
}): Compiled {
  const operands = new Numbering()
  const codes = new Numbering()
  const { identity } = parts
  const namespaces = [...identity.person, ...identity.device]
  const sessions: SessionRules = {
    gap: parseDuration(parts.sessions.gap) ?? Infinity,
    maxDuration: parseDuration(parts.sessions.maxDuration) ?? Infinity,
    splitOperands: parts.sessions.splitOn.map((path) => operands.of(eventPath(path))),
    exclusive: identity.exclusive.map((namespace) => namespaces.indexOf(namespace)),
    personCount: identity.person.length,
  }
  for (const journey of parts.journeys) for (const name of namesOf(journey)) codes.of(name)
  const eventFunnels = parts.funnels ?? []
  for (const name of namesOfFunnels(eventFunnels)) codes.of(name)
  const machines = parts.journeys.map((journey) => compileJourney(journey, operands, codes))
  const names = {
    operandOf: (path: string) => operands.of(path),
    codeOf: (name: string) => codes.of(name),
  }
  const funnels = [
    ...eventFunnels.map((funnel) => compileFunnel(funnel, names)),
    ...parts.journeys.flatMap(compileJourneyFunnels),
  ]
  return {
    identity,
    namespaces,
    sessions,
    machines,
    funnels,
    needsEveryEvent: funnels.some(
      ({ journey, order, clickhouse }) =>
        journey === null && (order === 'strict' || clickhouse?.has('strict_order') === true),
    ),
    operandPaths: operands.keys(),
    eventCodes: codes.codes,
  }
}

/** Numbers texts in the order of first use. */
class Numbering {
  readonly codes = new Map<string, number>()

  of(text: string): number {
    let code = this.codes.get(text)
    if (code === undefined) this.codes.set(text, (code = this.codes.size))
    return code
  }

  keys(): string[] {
    return [...this.codes.keys()]
  }
}

/** Returns every event name that a journey names or counts. */
function namesOf(journey: Journey): Set<string> {
  const names = knownNames(journey)
  for (const guard of guardsOf(journey)) if ('count' in guard) names.add(guard.count)
  return names
}

/** Returns every event name in `on`, `ignore` and `startOn` of a journey. */
export function knownNames(journey: Journey): Set<string> {
  const names = new Set([...(journey.startOn ?? []), ...(journey.ignore ?? [])])
  for (const holder of holdersOf(journey)) {
    for (const name of Object.keys(holder.on ?? {})) names.add(name)
    for (const name of holder.ignore ?? []) names.add(name)
  }
  return names
}

/** Returns the holders of `on` and `ignore`: the roots of the tracks, and all states. */
function holdersOf(journey: Journey): (Track | State)[] {
  return tracksOf(journey).flatMap(([, track]) => [track, ...Object.values(track.states)])
}

function guardsOf(journey: Journey): Guard[] {
  const lists = holdersOf(journey).flatMap((holder) => [
    ...Object.values(holder.on ?? {}),
    ...('after' in holder ? Object.values(holder.after ?? {}) : []),
  ])
  return lists.flatMap((list) => listOf(list).flatMap(({ guard }) => withParts(guard)))
}

function withParts(guard: Guard | undefined): Guard[] {
  if (guard === undefined) return []
  if ('all' in guard) return guard.all.flatMap(withParts)
  if ('any' in guard) return guard.any.flatMap(withParts)
  if ('not' in guard) return withParts(guard.not)
  return [guard]
}

/** Returns the candidates in the order in which they are tried. */
export function listOf(candidates: Candidates): Candidate[] {
  const list = Array.isArray(candidates) ? candidates : [candidates]
  return list.map((item) => (typeof item === 'string' ? { target: item } : item))
}

function compileJourney(journey: Journey, operands: Numbering, codes: Numbering): Machine {
  const tracks = tracksOf(journey)
  const counters = new Numbering()
  const compiled = tracks.map(([name, track], index) =>
    compileTrack({ journey, tracks, name, track, index, operands, counters, codes }),
  )
  const known = knownNames(journey)
  const starts = new Set(journey.startOn ?? [])
  if (starts.size === 0) {
    for (const holder of holdersOf(journey)) {
      for (const name of Object.keys(holder.on ?? {})) starts.add(name)
    }
  }
  const names = codes.keys()
  return {
    id: journey.id,
    version: journey.version,
    tracks: compiled,
    eventCount: names.length,
    asks: names.map((name) => known.has(name) || counters.codes.has(name)),
    isKnown: names.map((name) => known.has(name)),
    isStart: names.map((name) => starts.has(name)),
    countSlot: names.map((name) => counters.codes.get(name) ?? -1),
    noCounts: counters.keys().map(() => 0),
    keyOperand: journey.key === undefined ? -1 : operands.of(`properties.${journey.key.property}`),
    restart: journey.restart ?? false,
  }
}

type TrackParts = {
  journey: Journey
  tracks: [name: string, track: Track][]
  name: string
  track: Track
  index: number
  operands: Numbering
  counters: Numbering
  codes: Numbering
}

function compileTrack(parts: TrackParts): CompiledTrack {
  const { track, name } = parts
  const states = Object.keys(track.states)
  const names: Names = {
    operandOf: (path) => parts.operands.of(path),
    countSlotOf: (eventName) => parts.counters.of(eventName),
    stateOf: (reference) => stateOf(reference, parts),
    track: parts.index,
  }
  const ways = (candidates: Candidates): Way[] =>
    listOf(candidates).map(({ target, guard, effects }) => ({
      target: states.indexOf(target),
      guard: guard === undefined ? null : compileGuard(guard, names),
      said: guard ?? null,
      effects: [...(effects ?? []), ...effectsOf(track, target)],
    }))
  const roots = compileHolder(track, ways)
  const journeyIgnore = new Set(parts.journey.type === 'parallel' ? parts.journey.ignore : [])
  const eventNames = parts.codes.keys()
  const ofJourney = (event: string) => (journeyIgnore.has(event) ? IGNORED : null)
  const cells = states.flatMap((state) => {
    const definition = track.states[state] ?? {}
    const own = compileHolder(definition, ways)
    const isFinal = definition.type === 'final'
    return eventNames.map((event) =>
      resolveCell([own(event), roots(event), ofJourney(event)], isFinal),
    )
  })
  return {
    name,
    initial: states.indexOf(track.initial),
    states,
    isFinal: states.map((state) => track.states[state]?.type === 'final'),
    noVisits: states.map(() => 0),
    startEffects: effectsOf(track, track.initial),
    cells,
    timeouts: states.map((state) => compileTimeouts(track.states[state]?.after ?? {}, ways)),
  }
}

const IGNORED: Cell = { ways: [], ignored: true }

/** Resolves the reaction of a track in a state to an event. `levels` are the cells of the state,
 * the track root and the journey. The first level that names the event decides. A final state
 * takes no event; it only ignores. */
function resolveCell(levels: readonly (Cell | null)[], isFinal: boolean): Cell | null {
  if (isFinal) return levels.some((level) => level?.ignored) ? IGNORED : null
  return levels.find((level) => level !== null) ?? null
}

function effectsOf(track: Track, state: string): Effect[] {
  return track.states[state]?.effects ?? []
}

/** Returns the cell of a state or root by event; null for an event that it does not name. */
function compileHolder(
  holder: Track | State,
  ways: (candidates: Candidates) => Way[],
): (event: string) => Cell | null {
  const on = new Map(Object.entries(holder.on ?? {}).map(([name, list]) => [name, ways(list)]))
  const ignore = new Set(holder.ignore)
  return (event) => {
    const listed = on.get(event)
    const ignored = ignore.has(event)
    return listed !== undefined || ignored ? { ways: listed ?? [], ignored } : null
  }
}

function compileTimeouts(
  after: { [delay: string]: Candidates },
  ways: (candidates: Candidates) => Way[],
): Timeout[] {
  return Object.entries(after)
    .map(([delay, list]) => ({ delay: parseDuration(delay) ?? 0, ways: ways(list) }))
    .sort((a, b) => a.delay - b.delay)
}

/** Resolves `track.state`, or `state` of the guard's own track or else of the first track that has
 * it. */
export function stateOf(
  reference: string,
  parts: Pick<TrackParts, 'index' | 'tracks'>,
): { track: number; state: number } {
  const dot = reference.indexOf('.')
  const find = (index: number, name: string) => ({
    track: index,
    state: Object.keys(parts.tracks[index]?.[1].states ?? {}).indexOf(name),
  })
  if (dot >= 0) {
    const track = reference.slice(0, dot)
    const index = parts.tracks.findIndex(([name]) => name === track)
    return find(index, reference.slice(dot + 1))
  }
  const own = find(parts.index, reference)
  if (own.state >= 0) return own
  const other = parts.tracks.findIndex(([, track]) => Object.hasOwn(track.states, reference))
  return find(other, reference)
}

/** Instants and durations are microseconds; `Infinity` means no limit. */
export type SessionRules = {
  gap: number
  maxDuration: number
  /** Operands whose change starts a session. */
  splitOperands: number[]
  /** Numbers of the namespaces of which a session has at most one value. */
  exclusive: number[]
  /** Namespaces below this number identify a person. */
  personCount: number
}
