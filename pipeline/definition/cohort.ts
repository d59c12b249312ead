/**
 * Shape of a cohort's definition: plain data, a condition on what a profile did in its journeys up
 * to an instant of event time. `compile-cohort.ts` implements each part.
 */

import type { EventGuard } from './funnel.ts'
import type { Duration } from './duration.ts'

/** How often; several must all hold. */
export type Times = { eq?: number; gt?: number; gte?: number; lt?: number; lte?: number }

/** Which moves of a journey count. A state is `state`, or `track.state` of a parallel journey. */
type Moves = {
  journey: string
  /** Holds of the event that made the move; a timeout has none. */
  where?: EventGuard
  /** Only moves of an instance that has gone round this cycle before: `cart > checkout > cart`. */
  afterCycle?: string
}

/** Limits moves to those of this long before the instant. */
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
