/**
 * Facts of the journey fold, as columns of numbers: one entry per transition, ended stay, cycle,
 * rejection and effect. `microbatch/rows/journey-rows.ts` converts them to names and ids.
 */

import type { Instance, TrackState } from './instance.ts'
import type { Effect } from '../definition/journey.ts'
import { Doubles, Ints } from './growable-array.ts'

export const CAUSES = ['start', 'event', 'timeout'] as const
export const START = 0
export const EVENT = 1
export const TIMEOUT = 2

/**
 * Transitions, numbered from 0. `row` is that of the event, or -1. `from` and `dwell` are -1 at a
 * start. Instants and `dwell` are microseconds. `exit` is the transition that ended the stay, or
 * -1.
 */
export class Transitions {
  readonly instance: Instance[] = []
  readonly track = new Ints()
  readonly seq = new Ints()
  readonly cause = new Ints()
  readonly from = new Ints()
  readonly to = new Ints()
  readonly row = new Ints()
  readonly visit = new Ints()
  readonly exit = new Ints()
  readonly at = new Doubles()
  readonly dwell = new Doubles()

  get count(): number {
    return this.instance.length
  }
}

export class Facts {
  readonly transitions = new Transitions()

  /** Stays that an earlier fold opened and this one ended. */
  readonly endedStays = {
    instance: [] as Instance[],
    track: new Ints(),
    state: new Ints(),
    visit: new Ints(),
    enteredAt: new Doubles(),
    cause: new Ints(),
    eventId: [] as (string | null)[],
    exit: new Ints(),
  }

  /** `closedBy` is a transition of this fold; its target is the anchor. The path of cycle i, with
   * the anchor at both ends, is the slice of `states` from `statesEnd[i - 1]` to `statesEnd[i]`. */
  readonly cycles = {
    closedBy: new Ints(),
    number: new Ints(),
    states: new Ints(),
    statesEnd: new Ints(),
    startedAt: new Doubles(),
  }

  /** `states` has one number per track for each rejection. `hadCandidate` is 1 or 0. */
  readonly rejections = {
    instance: [] as Instance[],
    row: new Ints(),
    states: new Ints(),
    hadCandidate: new Ints(),
  }

  /** `index` numbers the effects of a transition from 0. */
  readonly effects = {
    transition: new Ints(),
    index: new Ints(),
    effect: [] as Effect[],
  }
  /** Adds the current stay of a track, which an earlier fold opened, as ended by `exit`. */
  endStay(instance: Instance, track: number, stay: TrackState, exit: number): void {
    const { endedStays } = this
    endedStays.instance.push(instance)
    endedStays.track.push(track)
    endedStays.state.push(stay.state)
    endedStays.visit.push(stay.visits[stay.state] as number)
    endedStays.enteredAt.push(stay.enteredAt)
    endedStays.cause.push(stay.cause)
    endedStays.eventId.push(stay.eventId)
    endedStays.exit.push(exit)
  }
}
