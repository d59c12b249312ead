/**
 * Journey compiled to a table. Names are numbers. Each track, state and known event has one cell,
 * which combines the declarations of the state, the root and the journey.
 */

import type { Condition } from './guard.ts'
import type { Effect } from './journey.ts'
import type { Guard } from './guard-syntax.ts'

/** Transition out of a state. `guard` null always holds; `said` is the guard as written. `effects`
 * are those of the candidate, then those of the target. */
export type Way = {
  target: number
  guard: Condition | null
  said: Guard | null
  effects: Effect[]
}

/** Reaction of a track in a state to an event. `ways` are tried in order. */
export type Cell = { ways: Way[]; ignored: boolean }

/** A timeout of a state, `delay` microseconds after entry. */
export type Timeout = { delay: number; ways: Way[] }

export type CompiledTrack = {
  name: string
  initial: number
  states: string[]
  isFinal: boolean[]
  /** A zero per state: initial visits of an instance. */
  noVisits: number[]
  /** Effects of the initial state, for the start transition. */
  startEffects: Effect[]
  /** By state * eventCount + event; null if the track does not know the event in that state. */
  cells: (Cell | null)[]
  /** By state, in firing order. */
  timeouts: Timeout[][]
}

export type Machine = {
  id: string
  version: number
  tracks: CompiledTrack[]
  /** Number of events that a journey knows or counts; codes are shared by all machines. */
  eventCount: number
  /** By event code: known or counted, known, starts an instance. */
  asks: boolean[]
  isKnown: boolean[]
  isStart: boolean[]
  /** By event code: the counter it increments, or -1. */
  countSlot: number[]
  /** A zero per counter: initial counts of an instance. */
  noCounts: number[]
  /** Operand that is the key of instances, or -1. */
  keyOperand: number
  restart: boolean
}
