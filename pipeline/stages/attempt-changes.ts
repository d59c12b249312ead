/** Changes of attempts during a run, which become facts at its end. */

import type { CompiledFunnel } from '../definition/compile-funnel.ts'
import type { Attempt, FunnelFacts, StepFact } from './funnel-facts.ts'

type Step = Omit<StepFact, 'funnel' | 'profileId' | 'attempt' | 'replaces'>

export class AttemptChanges {
  readonly #touched = new Set<Attempt>()
  readonly #withdrawn = new Set<Attempt>()
  readonly #steps: { attempt: Attempt; fact: Step }[] = []

  /** Notes that an attempt has changed. */
  touch(attempt: Attempt): void {
    this.#touched.add(attempt)
  }

  reach(attempt: Attempt, fact: Step): void {
    this.#steps.push({ attempt, fact })
    this.#touched.add(attempt)
  }

  /** Notes that an attempt does not exist any more. */
  withdraw(attempt: Attempt): void {
    this.#touched.delete(attempt)
    this.#withdrawn.add(attempt)
  }

  writeTo(funnel: CompiledFunnel, profileId: string, facts: FunnelFacts): void {
    for (const attempt of this.#withdrawn) {
      if (!attempt.isOnRecord) continue
      const owner = { funnel, profileId, attempt }
      facts.withdrawn.push(owner)
      facts.withdrawnSteps.push({ ...owner, number: 1 })
    }
    for (const attempt of this.#touched) {
      facts.attempts.push({ funnel, profileId, attempt, replaces: attempt.isOnRecord })
    }
    for (const { attempt, fact } of this.#steps) {
      if (this.#withdrawn.has(attempt)) continue
      facts.steps.push({ funnel, profileId, attempt, replaces: false, ...fact })
    }
  }
}
