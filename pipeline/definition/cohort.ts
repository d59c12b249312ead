/**
 * Shape of a cohort definition: plain data, a condition on what a profile did in its journeys up to
 * an instant of event time. `compile-cohort.ts` implements each part.
 */

import type { EventGuard } from './funnel.ts'
import type { Duration } from './duration.ts'

/** Number of times; all given bounds must hold. */
export type Times = { eq?: number; gt?: number; gte?: number; lt?: number; lte?: number }

/** Selects transitions of a journey. A state is `state`, or `track.state` of a parallel journey. */
type Moves = {
  journey: string
  /** Guard on the event of the transition; a timeout has no event. */
  where?: EventGuard
  /** Only transitions of an instance that has completed this cycle before: `cart > checkout >
   * cart`. */
  afterCycle?: string
}

/** Limits transitions to the given time before the instant. */
type Recent = { within?: Duration }

export type Reached = Moves & Recent & { reached: string; times?: Times }
export type Cycled = Moves & Recent & { cycled: string; times?: Times }
export type Inside = Moves & { in: string; dwell?: { gte?: Duration; lt?: Duration } }
export type InOrder = Moves & Recent & { inOrder: string[]; span?: Duration }

export type CohortCondition =
  | { all: CohortCondition[] }
  | { any: CohortCondition[] }
  | { not: CohortCondition }
  | Reached
  | Cycled
  | Inside
  | InOrder

export type Cohort = {
  id: string
  /** Default 1. */
  version?: number
  who: CohortCondition
}

/** Separator of the states in a cycle's path. */
export const PATH_MARK = ' > '
