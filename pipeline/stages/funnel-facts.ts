/**
 * Facts of the funnel stage: attempts that were opened or changed, and the steps they reached.
 * `microbatch/funnel-rows.ts` makes rows of them.
 */

import type { CompiledFunnel } from '../definition/compile-funnel.ts'

export type EndedBecause = 'converted' | 'window' | 'excluded' | 'order' | 'final'

/** One attempt at a funnel. All but the last group of members is kept between runs, as JSON. */
export type Attempt = {
  /** Tells it apart among its funnel's attempts by the profile (or, in a journey, the instance). */
  key: string
  /** What it cannot leave: an instance, a session, or the profile (empty). */
  scope: string
  /** The values that are held constant, as text. */
  held: string
  /** Its entry. */
  eventId: string | null
  at: number
  ordinal: number
  /** What entered a journey's state (see `CAUSES`); of an event, that there was one. */
  cause: number
  source: string | null
  sessionId: string | null
  /** Steps in the order they were reached, by number from 0. */
  reached: number[]
  /** When the last of them that is not optional was reached, microseconds. */
  anchorAt: number

  /** An earlier run has written it. */
  isOnRecord: boolean
  ended: { because: EndedBecause; at: number } | null
  /** The tie in which it last reached a step, and the events that served it there. */
  tie: number
  servedBy: string[]
}

export type AttemptFact = {
  funnel: CompiledFunnel
  profileId: string
  attempt: Attempt
  /** The row on record is replaced. */
  replaces: boolean
}

export type StepFact = AttemptFact & {
  /** 1-based step position; with `order: any` it differs from the step's number. */
  number: number
  step: number
  at: number
  eventId: string | null
}

export class FunnelFacts {
  readonly attempts: AttemptFact[] = []
  readonly steps: StepFact[] = []
  /** Attempts, and steps of them, that an earlier run wrote and this one withdraws. */
  readonly withdrawn: Omit<AttemptFact, 'replaces'>[] = []
  readonly withdrawnSteps: (Omit<AttemptFact, 'replaces'> & { number: number })[] = []
}
