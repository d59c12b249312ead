/**
 * Facts of the journey fold, as columns: one entry per transition, stay that ended, cycle,
 * rejection and effect. All are numbers; `microbatch/journey-rows.ts` makes names and ids of them.
 */

import type { Instance } from './instance.ts'
import type { Effect } from '../definition/journey.ts'
import { Doubles, Ints } from './growable-array.ts'

export const CAUSES = ['start', 'event', 'timeout'] as const
export const START = 0
export const EVENT = 1
export const TIMEOUT = 2

/**
 * Transitions, numbered from 0. `row` is the event's, or -1; `from` is -1 at a start; instants and
 * `dwell` are microseconds, `dwell` -1 at a start. `exit` is the transition that ended the stay,
 * or -1.
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

  /** `closedBy` is a transition of this fold, whose target is the anchor. The path of cycle i, its
   * anchor at both ends, are the `states` up to `statesEnd[i]`, from where that of i - 1 ends. */
  readonly cycles = {
    closedBy: new Ints(),
    number: new Ints(),
    states: new Ints(),
    statesEnd: new Ints(),
    startedAt: new Doubles(),
  }

  /** `states` are the configurations one after another, each a number by track; `hadCandidate` is
   * 1 or 0. */
  readonly rejections = {
    instance: [] as Instance[],
    row: new Ints(),
    states: new Ints(),
    hadCandidate: new Ints(),
  }

  /** `index` counts the effects of one transition from 0. */
  readonly effects = {
    transition: new Ints(),
    index: new Ints(),
    effect: [] as Effect[],
  }
}
