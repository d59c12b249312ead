/**
 * Facts of the funnel stage, as columns: attempts that were opened, changed or withdrawn, and the
 * steps they reached. `microbatch/rows/funnel-rows.ts` converts them to rows.
 */

import type { CompiledFunnel } from '../definition/compile-funnel.ts'
import { Doubles, Ints } from './growable-array.ts'

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
  /** Tie in which it last reached a step, and of several events the ones it took there. */
  tie: number
  servedBy: readonly string[]
  /** Number of its fact in the current run, or -1. */
  fact: number
}

/** Entry of an attempt. */
export type Entry = Pick<Attempt, 'key' | 'eventId' | 'at' | 'ordinal' | 'source' | 'sessionId'>

const NONE: readonly string[] = []

/** Returns an open attempt that is not on record. */
export function newAttempt(
  { key, eventId, at, ordinal, source, sessionId }: Entry,
  { scope, held, cause }: Pick<Attempt, 'scope' | 'held' | 'cause'>,
  reached: number[],
): Attempt {
  return {
    key,
    scope,
    held,
    eventId,
    at,
    ordinal,
    cause,
    source,
    sessionId,
    reached,
    anchorAt: at,
    isOnRecord: false,
    ended: null,
    tie: 0,
    servedBy: NONE,
    fact: -1,
  }
}

/** Changes of an attempt by a run: it is new, it replaces its stored row, its stored row is withdrawn,
 * or it is withdrawn and was never stored. */
export const NEW = 0
export const REPLACED = 1
export const WITHDRAWN = 2
export const DROPPED = 3

export type AttemptOwner = { funnel: CompiledFunnel; profileId: string }

export class FunnelFacts {
  readonly owners: AttemptOwner[] = []

  /** Attempts, numbered from 0. `owner` is a number of `owners`, and `change` one of the above. */
  readonly attempts = { attempt: [] as Attempt[], owner: new Ints(), change: new Ints() }

  /** `fact` is that of the attempt; steps of a dropped one do not count. `number` is the 1-based
   * position of the step, which differs from its 0-based number `step` in any order. `replaces` is
   * 1 if the stored row is replaced. Instants are microseconds. */
  readonly steps = {
    fact: new Ints(),
    number: new Ints(),
    step: new Ints(),
    replaces: new Ints(),
    at: new Doubles(),
    eventId: [] as (string | null)[],
  }

  /** Steps that an earlier run wrote and this one withdraws. */
  readonly withdrawnSteps = { fact: new Ints(), number: new Ints() }

  /** Returns the number of an owner. Successive calls for one owner return the same. */
  own(funnel: CompiledFunnel, profileId: string): number {
    const last = this.owners[this.owners.length - 1]
    if (last === undefined || last.funnel !== funnel || last.profileId !== profileId) {
      this.owners.push({ funnel, profileId })
    }
    return this.owners.length - 1
  }

  /** Adds an attempt and returns its number. */
  addAttempt(owner: number, attempt: Attempt, change: number): number {
    const { attempts } = this
    attempts.owner.push(owner)
    attempts.change.push(change)
    return attempts.attempt.push(attempt) - 1
  }

  addStep(
    fact: number,
    number: number,
    step: number,
    at: number,
    eventId: string | null,
    replaces = false,
  ): void {
    const { steps } = this
    steps.fact.push(fact)
    steps.number.push(number)
    steps.step.push(step)
    steps.at.push(at)
    steps.eventId.push(eventId)
    steps.replaces.push(replaces ? 1 : 0)
  }

  withdrawStep(fact: number, number: number): void {
    this.withdrawnSteps.fact.push(fact)
    this.withdrawnSteps.number.push(number)
  }

  /** Marks attempts from `first` on as never written, with their steps. */
  dropFrom(first: number): void {
    const { attempts, withdrawnSteps } = this
    for (let fact = first; fact < attempts.attempt.length; fact++) {
      attempts.change.values[fact] = DROPPED
    }
    while (withdrawnSteps.fact.length > 0) {
      if (withdrawnSteps.fact.at(withdrawnSteps.fact.length - 1) < first) break
      withdrawnSteps.fact.length -= 1
      withdrawnSteps.number.length -= 1
    }
  }
}
