/**
 * Shape of a journey's definition: plain data without functions, so that it can be printed, hashed,
 * drawn and compiled. The terms are XState v5's where XState has them.
 *
 * These are the shapes as the pipeline reads them. `define.ts` narrows them for the author, so
 * that a wrong target, state or event name is a compile error; the `check-*.ts` files find the rest.
 */

import type { Guard } from './guard-syntax.ts'
import type { Duration } from './duration.ts'
import type { Json } from '../base/json.ts'
import type { JourneyFunnel } from './funnel.ts'

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
/** A journey as it is written in its file. */
export type Journey = SingleJourney | ParallelJourney

/** Returns the tracks of a journey in their order; a journey without tracks has one, called `main`. */
export function tracksOf(journey: Journey): [name: string, track: Track][] {
  if (journey.type === 'parallel') return Object.entries(journey.states)
  return [['main', journey]]
}
