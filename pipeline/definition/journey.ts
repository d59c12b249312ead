/**
 * Shape of a journey definition: plain data without functions, so that it can be printed, hashed,
 * drawn and compiled. Terms follow XState v5.
 *
 * These are the shapes that the pipeline reads. `define.ts` narrows them for the author, so that a
 * wrong target, state or event name is a compile error; the `check-*.ts` files find other problems.
 */

import type { Guard } from './guard-syntax.ts'
import type { Duration } from './duration.ts'
import type { Json } from '../base/json.ts'
import type { JourneyFunnel } from './funnel.ts'

/** Written to the outbox when a transition is first committed. */
export type Effect = { type: string; within?: Duration; [parameter: string]: Json | undefined }

/** Transition out of a state. */
export type Candidate = { target: string; guard?: Guard; effects?: Effect[] }

/** A target, a candidate, or candidates tried in order. */
export type Candidates = string | Candidate | (string | Candidate)[]

export type State = {
  type?: 'final'
  /** For a final state; see `outcome.ts`. */
  outcome?: 'success' | 'failure' | 'neutral'
  on?: { [eventName: string]: Candidates }
  after?: { [delay: Duration]: Candidates }
  ignore?: string[]
  /** Written each time the state is entered. */
  effects?: Effect[]
}

/** A flat state machine. */
export type Track = {
  initial: string
  states: { [state: string]: State }
  on?: { [eventName: string]: Candidates }
  ignore?: string[]
}

type JourneyCommon = {
  id: string
  version: number
  /** Default: any event named in an `on` starts an instance. */
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
/** Journey as written in its file. */
export type Journey = SingleJourney | ParallelJourney

/** Returns the tracks of a journey in order. A journey without tracks has one, named `main`. */
export function tracksOf(journey: Journey): [name: string, track: Track][] {
  if (journey.type === 'parallel') return Object.entries(journey.states)
  return [['main', journey]]
}
