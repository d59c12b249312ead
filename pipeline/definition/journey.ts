/**
 * What a definition is: plain data, no functions, so that it can be printed, hashed, drawn,
 * compiled to a table and walked to make tests. The words are XState v5's where XState has them.
 *
 * These are the shapes as the pipeline reads them. `define.ts` narrows them for the author, so
 * that a wrong target, state or event name is a compile error; `check.ts` says what is wrong with
 * a definition that compiles all the same.
 */

import type { JourneyFunnel } from './funnel.ts'

/** JSON as it comes out of `JSON.parse`. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** `90s`, `30m`, `1.5h`: a number and one of `ms s m h d w`. */
export type Duration = string

/** Several operators in one guard must all hold. Null means absent. */
export type Operators = {
  eq?: Json
  ne?: Json
  gt?: number | string
  gte?: number | string
  lt?: number | string
  lte?: number | string
  in?: Json[]
  exists?: boolean
  startsWith?: string
  contains?: Json
}

/** A condition on the event, on the instance, or on other conditions. */
export type Guard =
  | ({ property: string } & Operators)
  | ({ context: string } & Operators)
  | ({ field: 'source' | 'name' } & Operators)
  | ({ count: string } & Operators)
  | ({ visits: string } & Operators)
  | { in: string }
  | { dwell: { gte?: Duration; lt?: Duration } }
  | { all: Guard[] }
  | { any: Guard[] }
  | { not: Guard }

/** What is written to the outbox when a transition is first committed. */
export type Effect = { type: string; within?: Duration; [parameter: string]: Json | undefined }

/** One way out of a state. */
export type Candidate = { target: string; guard?: Guard; effects?: Effect[] }

/** A target, a candidate, or candidates tried in order. */
export type Candidates = string | Candidate | (string | Candidate)[]

export type State = {
  type?: 'final'
  on?: { [eventName: string]: Candidates }
  after?: { [delay: Duration]: Candidates }
  ignore?: string[]
  /** Written whenever the state is entered. */
  effects?: Effect[]
}

/** One flat machine. */
export type Track = {
  initial: string
  states: { [state: string]: State }
  on?: { [eventName: string]: Candidates }
  ignore?: string[]
}

type JourneyCommon = {
  id: string
  version: number
  /** Absent or empty: any event named in an `on` starts an instance. */
  startOn?: string[]
  /** One instance per profile and value of this property. */
  key?: { property: string }
  restart?: boolean
  ignore?: string[]
  funnels?: { [id: string]: JourneyFunnel }
}

export type SingleJourney = JourneyCommon & Track & { type?: undefined }
export type ParallelJourney = JourneyCommon & {
  type: 'parallel'
  states: { [track: string]: Track }
}
/** A journey as its author wrote it. */
export type Journey = SingleJourney | ParallelJourney

/** The tracks of a journey in their order; a journey without tracks has one, called `main`. */
export function tracksOf(journey: Journey): [name: string, track: Track][] {
  if (journey.type === 'parallel') return Object.entries(journey.states)
  return [['main', journey]]
}

/** `definitions/identity.ts`, with every default filled in. Namespaces in priority order. */
export type Identity = {
  person: string[]
  device: string[]
  exclusive: string[]
  hashed: string[]
  ignore: string[]
  contested: 'last-known' | 'anonymous' | 'first'
  maxPersonsPerDevice: number
}

export const IDENTITY_DEFAULT: Identity = {
  person: ['user_id', 'email'],
  device: ['anonymous_id', 'device_id'],
  exclusive: ['user_id'],
  hashed: [],
  ignore: [],
  contested: 'last-known',
  maxPersonsPerDevice: 8,
}

/** Fills in the defaults. Of the namespaces that are exclusive by default, those declared are. */
export function identityOf(given: Partial<Identity>): Identity {
  const identity = withDefaults(IDENTITY_DEFAULT, given)
  if (given.exclusive !== undefined) return identity
  const person = [identity.person].flat()
  return { ...identity, exclusive: identity.exclusive.filter((name) => person.includes(name)) }
}

/** `definitions/sessions.ts`, with every default filled in. */
export type Sessions = { gap: Duration; splitOn: string[]; maxDuration?: Duration }

export const SESSIONS_DEFAULT: Sessions = { gap: '30m', splitOn: [] }

export function sessionsOf(given: Partial<Sessions>): Sessions {
  return withDefaults(SESSIONS_DEFAULT, given)
}

/** A member that is undefined is one that is left out. */
function withDefaults<T extends object>(defaults: T, given: Partial<T>): T {
  const said = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...defaults, ...(Object.fromEntries(said) as Partial<T>) }
}

const UNIT_MS: { [unit: string]: number } = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** Microseconds of a duration, or null when it is not one. Zero and less are not durations. */
export function parseDuration(duration: unknown): number | null {
  if (typeof duration !== 'string') return null
  const parts = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(duration)
  if (parts === null) return null
  const micros = Math.round(Number(parts[1]) * (UNIT_MS[parts[2] ?? ''] ?? 0) * 1_000)
  return micros > 0 && Number.isSafeInteger(micros) ? micros : null
}
