/**
 * What the fold says happened, as columns: one entry per transition, stay that ended, cycle,
 * rejection and effect. Nothing is hashed, named or put into words here: `tabulate.ts` does that
 * for the facts that are kept.
 */

import type { Effect } from './journey.ts'
import type { Machine } from './machine.ts'

export const CAUSES = ['start', 'event', 'timeout'] as const
export const START = 0
export const EVENT = 1
export const TIMEOUT = 2

/** One run of a journey. `id` follows from the rest; all but the machine is JSON. */
export type Instance = {
  id: string
  profileId: string
  machine: Machine
  key: string | null
  startEventId: string
  startedAt: number
  startOrdinal: number
  /** Transitions so far. */
  seq: number
  /** Events seen, by the machine's count slots. */
  counts: number[]
  tracks: TrackState[]
  /** Earliest pending timeout, microseconds; `Infinity` when there is none. */
  due: number
  isComplete: boolean
}

/** Where a track of an instance stands. */
export type TrackState = {
  state: number
  enteredAt: number
  /** How the current stay was entered; with the instance and the track it is the stay's id. */
  cause: number
  /** The event that did it; null for a timeout, which `enteredAt` tells apart. */
  eventId: string | null
  /** Fact of the entering transition in the fold at hand, or -1 when an earlier one made it. */
  fact: number
  /** Timeouts of this stay that have fired or are spent. */
  timeoutsPast: number
  /** By state: how often it was entered. */
  visits: number[]
  /** States since the start without the cycles, and when each was last entered. */
  path: number[]
  pathAt: number[]
  cycles: number
}

export class Facts {
  /** Transitions. `row` is the event's, or -1; `from` is -1 at a start; instants and `dwell` are
   * microseconds, `dwell` -1 at a start. `exit` is the transition that ended the stay, or -1. */
  readonly transitions = {
    instance: [] as Instance[],
    track: [] as number[],
    seq: [] as number[],
    cause: [] as number[],
    from: [] as number[],
    to: [] as number[],
    row: [] as number[],
    at: [] as number[],
    dwell: [] as number[],
    visit: [] as number[],
    exit: [] as number[],
  }

  /** Stays that an earlier fold opened and this one ended. */
  readonly endedStays = {
    instance: [] as Instance[],
    track: [] as number[],
    state: [] as number[],
    visit: [] as number[],
    enteredAt: [] as number[],
    cause: [] as number[],
    eventId: [] as (string | null)[],
    exit: [] as number[],
  }

  /** `closedBy` is a transition of this fold, whose target is the anchor. */
  readonly cycles = {
    closedBy: [] as number[],
    number: [] as number[],
    path: [] as number[][],
    startedAt: [] as number[],
  }

  /** `states` are the configurations one after another, each a number by track. */
  readonly rejections = {
    instance: [] as Instance[],
    row: [] as number[],
    states: [] as number[],
    hadCandidate: [] as boolean[],
  }

  /** `index` counts the effects of one transition from 0. */
  readonly effects = {
    transition: [] as number[],
    index: [] as number[],
    effect: [] as Effect[],
  }
}
