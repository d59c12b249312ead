/**
 * Functions that type definitions. They return their argument; a plain object works too.
 *
 * Naming a state that does not exist, as target, initial state, funnel step or in a guard, is a
 * compile error. So is an event name that the project's `events.ts` does not declare. A project
 * adds its event names to `EventNames`.
 */

import type { Cohort } from './cohort.ts'
import type { EventFunnel, EventStep, Exclusion, JourneyFunnel, StateStep } from './funnel.ts'
import type { Duration } from './duration.ts'
import type { Effect, Journey } from './journey.ts'
import type { Outcome } from './outcome.ts'
import type { Identity, Sessions } from './settings.ts'
import type { Operators } from './guard-syntax.ts'

/** Event names of the project, as members. `definitions/events.ts` adds them. */
export interface EventNames {
  /** Keeps the interface open; no event has this name. */
  '': never
}

type EventName =
  Exclude<keyof EventNames, ''> extends never ? string : Exclude<keyof EventNames, ''>

/** Guard; `Place` is the type of states in `in` and `visits`. */
type GuardOn<Place extends string> =
  | ({ property: string } & Operators)
  | ({ context: string } & Operators)
  | ({ field: 'source' | 'name' } & Operators)
  | ({ count: EventName } & Operators)
  | ({ visits: Place } & Operators)
  | { in: Place }
  | { dwell: { gte?: Duration; lt?: Duration } }
  | { all: GuardOn<Place>[] }
  | { any: GuardOn<Place>[] }
  | { not: GuardOn<Place> }

type Way<State extends string, Place extends string> =
  State | { target: State; guard?: GuardOn<Place>; effects?: Effect[] }

type Ways<State extends string, Place extends string> = Way<State, Place> | Way<State, Place>[]

type On<State extends string, Place extends string> = {
  [Name in EventName]?: Ways<State, Place>
}

type StateOf<State extends string, Place extends string> = {
  type?: 'final'
  outcome?: Outcome
  on?: On<State, Place>
  after?: { [delay: Duration]: Ways<State, Place> }
  ignore?: EventName[]
  effects?: Effect[]
}

type TrackOf<State extends string, Place extends string> = {
  initial: NoInfer<State>
  states: { [Name in State]: StateOf<NoInfer<State>, NoInfer<Place>> }
  on?: On<NoInfer<State>, NoInfer<Place>>
  ignore?: EventName[]
}

type Common<Step extends string> = {
  id: string
  version: number
  startOn?: EventName[]
  key?: { property: string }
  restart?: boolean
  ignore?: EventName[]
  funnels?: { [id: string]: FunnelOf<Step> }
}

type FunnelOf<Step extends string> = Omit<JourneyFunnel, 'steps'> & {
  steps: (Step | (Omit<StateStep, 'state'> & { state: Step }))[]
}

/** Types a journey of parallel tracks. */
export function defineJourney<const Tracks extends { [track: string]: { states: object } }>(
  journey: Common<PlaceIn<Tracks>> & {
    type: 'parallel'
    states: Tracks & { [T in keyof Tracks]: TrackOf<StateIn<Tracks[T]>, PlaceIn<Tracks>> }
  },
): Journey
/** Types a journey of one track. */
export function defineJourney<State extends string>(
  journey: Common<NoInfer<State>> &
    TrackOf<State, NoInfer<State> | `main.${NoInfer<State>}`> & { type?: undefined },
): Journey
export function defineJourney(journey: object): Journey {
  return journey as Journey
}

type StateIn<Track extends { states: object }> = keyof Track['states'] & string

/** `track.state`, and the plain name of every state. */
type PlaceIn<Tracks extends { [track: string]: { states: object } }> = {
  [T in keyof Tracks & string]: StateIn<Tracks[T]> | `${T}.${StateIn<Tracks[T]>}`
}[keyof Tracks & string]

type Named<T extends { event: string }> = Omit<T, 'event'> & { event: EventName }

/** Types a funnel whose steps are events: a file of `definitions/funnels/`. */
export function defineFunnel(
  funnel: Omit<EventFunnel, 'steps' | 'exclude'> & {
    steps: (EventName | Named<EventStep>)[]
    exclude?: Named<Exclusion>[]
  },
): EventFunnel {
  return funnel
}

/** Types a cohort: a file of `definitions/cohorts/`. */
export function defineCohort(cohort: Cohort): Cohort {
  return cohort
}

/** Types `identity.ts`; `IDENTITY_DEFAULT` has the defaults. */
export function defineIdentity(identity: Partial<Identity>): Partial<Identity> {
  return identity
}

/** Types `sessions.ts`; `SESSIONS_DEFAULT` has the defaults. */
export function defineSessions(sessions: Partial<Sessions>): Partial<Sessions> {
  return sessions
}
