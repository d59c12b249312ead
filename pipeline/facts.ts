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

const TRANSITIONS_AT_FIRST = 1_024

/**
 * Transitions, numbered from 0. `row` is the event's, or -1; `from` is -1 at a start; instants and
 * `dwell` are microseconds, `dwell` -1 at a start. `exit` is the transition that ended the stay,
 * or -1. The columns are replaced when they grow: do not hold on to one while adding.
 */
export class Transitions {
  count = 0
  readonly instance: Instance[] = []
  track = new Int32Array(TRANSITIONS_AT_FIRST)
  seq = new Int32Array(TRANSITIONS_AT_FIRST)
  cause = new Int32Array(TRANSITIONS_AT_FIRST)
  from = new Int32Array(TRANSITIONS_AT_FIRST)
  to = new Int32Array(TRANSITIONS_AT_FIRST)
  row = new Int32Array(TRANSITIONS_AT_FIRST)
  visit = new Int32Array(TRANSITIONS_AT_FIRST)
  exit = new Int32Array(TRANSITIONS_AT_FIRST)
  at = new Float64Array(TRANSITIONS_AT_FIRST)
  dwell = new Float64Array(TRANSITIONS_AT_FIRST)

  /** The number of a new transition, whose columns are to be set. */
  add(): number {
    if (this.count === this.track.length) this.#grow()
    return this.count++
  }

  #grow(): void {
    const length = this.count * 2
    for (const name of ['track', 'seq', 'cause', 'from', 'to', 'row', 'visit', 'exit'] as const) {
      const longer = new Int32Array(length)
      longer.set(this[name])
      this[name] = longer
    }
    for (const name of ['at', 'dwell'] as const) {
      const longer = new Float64Array(length)
      longer.set(this[name])
      this[name] = longer
    }
  }
}

export class Facts {
  readonly transitions = new Transitions()

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

  /** `closedBy` is a transition of this fold, whose target is the anchor. The path of cycle i, its
   * anchor at both ends, are the `states` up to `statesEnd[i]`, from where that of i - 1 ends. */
  readonly cycles = {
    closedBy: [] as number[],
    number: [] as number[],
    states: [] as number[],
    statesEnd: [] as number[],
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
