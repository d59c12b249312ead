/** Writes the changes of a profile's attempts at a funnel to the facts. */

import type { CompiledFunnel } from '../definition/compile-funnel.ts'
import {
  DROPPED,
  NEW,
  REPLACED,
  WITHDRAWN,
  type Attempt,
  type EndedBecause,
  type FunnelFacts,
} from './funnel-facts.ts'

export class AttemptChanges {
  readonly #funnel: CompiledFunnel
  readonly #facts: FunnelFacts
  #profileId = ''
  /** Number of the first fact of the run. */
  #first = 0

  constructor(funnel: CompiledFunnel, facts: FunnelFacts) {
    this.#funnel = funnel
    this.#facts = facts
  }

  /** Begins a run of a profile. */
  begin(profileId: string): void {
    this.#profileId = profileId
    this.#first = this.#facts.attempts.attempt.length
  }

  /** Adds a step that an attempt reaches. `number` is its 1-based position. */
  reach(
    attempt: Attempt,
    { number, step }: { number: number; step: number },
    { at, eventId }: { at: number; eventId: string | null },
  ): void {
    this.#facts.addStep(this.#factOf(attempt), number, step, at, eventId)
  }

  end(attempt: Attempt, because: EndedBecause, at: number): void {
    attempt.ended = { because, at }
    this.#factOf(attempt)
  }

  /** Notes that an attempt at its first step does not exist any more. */
  withdraw(attempt: Attempt): void {
    const fact = this.#factOf(attempt)
    this.#facts.attempts.change.values[fact] = attempt.isOnRecord ? WITHDRAWN : DROPPED
    if (attempt.isOnRecord) this.#facts.withdrawStep(fact, 1)
  }

  /** Returns the fact of an attempt that changes. */
  #factOf(attempt: Attempt): number {
    if (attempt.fact < 0) {
      const owner = this.#facts.own(this.#funnel, this.#profileId)
      const change = attempt.isOnRecord ? REPLACED : NEW
      attempt.fact = this.#facts.addAttempt(owner, attempt, change)
    }
    return attempt.fact
  }

  /** Ends the run. The changes of a removed profile do not count. */
  finish(isRemoved: boolean): void {
    const { attempt } = this.#facts.attempts
    for (let fact = this.#first; fact < attempt.length; fact++) {
      ;(attempt[fact] as Attempt).fact = -1
    }
    if (isRemoved) this.#facts.dropFrom(this.#first)
  }
}
