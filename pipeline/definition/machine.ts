/**
 * A journey compiled to a table that the fold walks. Names are numbers. Each track, state and known
 * event has one cell, which combines what the state, the root and the journey declare.
 */

import type { Condition } from './guard.ts'
import type { Effect } from './journey.ts'
import type { Guard } from './guard-syntax.ts'

/** One way out; `guard` null always holds, and `said` is it as its author wrote it. `effects` are
 * the candidate's, then the target's. */
export type Way = {
  target: number
  guard: Condition | null
  said: Guard | null
  effects: Effect[]
}

/** What a track in a state does with an event. `ways` are tried in order. */
export type Cell = { ways: Way[]; ignored: boolean }

/** A timeout of a state, `delay` microseconds after entry. */
export type Timeout = { delay: number; ways: Way[] }

export type CompiledTrack = {
  name: string
  initial: number
  states: string[]
  isFinal: boolean[]
  /** Zero for each state: what an instance begins with. */
  noVisits: number[]
  /** Of the initial state, for the start transition. */
  startEffects: Effect[]
  /** By state * eventCount + event; null is an event this track does not know in that state. */
  cells: (Cell | null)[]
  /** By state; in the order they fire. */
  timeouts: Timeout[][]
}

export type Machine = {
  id: string
  version: number
  tracks: CompiledTrack[]
  /** Events that some journey knows or counts, by code; the codes are shared by all machines. */
  eventCount: number
  /** By event code: whether it is known or counted, known, and a start. */
  asks: boolean[]
  isKnown: boolean[]
  isStart: boolean[]
  /** By event code: the counters it advances; -1 none. */
  countSlot: number[]
  /** Zero for each counter: what an instance begins with. */
  noCounts: number[]
  /** Operand that keys the instances, or -1. */
  keyOperand: number
  restart: boolean
}
