/**
 * Facts of the funnel stage: attempts that were opened or changed, and the steps they reached.
 * `microbatch/funnel-rows.ts` converts them to rows.
 */

import type { CompiledFunnel } from '../definition/compile-funnel.ts'

export type EndedBecause = 'converted' | 'window' | 'excluded' | 'order' | 'final'

/** Attempt at a funnel. All members except the last group are kept between runs, as JSON. */
export type Attempt = {
  /** Unique among the attempts of the profile at the funnel; in a journey, of the instance. */
  key: string
  /** Where the attempt must stay: an instance, a session, or the whole profile (empty). */
  scope: string
  /** Values held constant, as text. */
  held: string
  /** Entry of the attempt. */
  eventId: string | null
  at: number
  ordinal: number
  /** How the state was entered (see `CAUSES`); for an event, that of an event. */
  cause: number
  source: string | null
  sessionId: string | null
  /** Steps in the order they were reached, 0-based. */
  reached: number[]
  /** When the last step that is not optional was reached, microseconds. */
  anchorAt: number

  /** Whether an earlier run has written it. */
  isOnRecord: boolean
  ended: { because: EndedBecause; at: number } | null
  /** Tie in which it last reached a step, and the events it took there. */
  tie: number
  servedBy: string[]
}

export type AttemptFact = {
  funnel: CompiledFunnel
  profileId: string
  attempt: Attempt
  /** Whether the stored row is replaced. */
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
  /** Attempts and steps that an earlier run wrote and this one withdraws. */
  readonly withdrawn: Omit<AttemptFact, 'replaces'>[] = []
  readonly withdrawnSteps: (Omit<AttemptFact, 'replaces'> & { number: number })[] = []
}
