/**
 * Funnel of a profile by PostHog's rules, as one attempt of the profile.
 *
 * For each step, the chain that last reached it is kept: an event takes the chain of the step before
 * one step further, if the entry of that chain is within the window. A later first step replaces the
 * first chain only. The best chain is the first of the greatest depth, and the attempt.
 *
 * - Optional steps may be skipped: the chain is then that of the last step before them.
 * - Strict order: an event clears the chains of all steps that it does not match.
 * - An exclusion taints the chain of the step before it, and the best chain if that is as deep and in
 *   its window. A tainted chain goes on as a best chain only. A profile whose best chain is tainted
 *   has no attempt; a clean chain that comes as deep clears it.
 * - Events of one instant that match the same steps are taken in their order. Otherwise they are
 *   taken by step, each event serves a chain once, and strict order and exclusions are ignored.
 * - The first conversion ends the scan.
 */

import type { CompiledFunnel } from '../definition/compile-funnel.ts'
import type { Point } from './funnel-point.ts'
import { NEW, REPLACED, WITHDRAWN, type Attempt, type FunnelFacts } from './funnel-facts.ts'
import { isSameAttempt, soleAttempt, type RecordedAttempt } from './sole-attempt.ts'

/** `step` is 1-based. */
type Served = { key: string; eventId: string | null; at: number; step: number }

type Chain = {
  /** When its first event happened. */
  at: number
  ordinal: number
  source: string | null
  sessionId: string | null
  isTainted: boolean
  served: Served[]
}

/** State of a profile between runs, as JSON. */
export type Entered = {
  /** By 1-based step; null: no chain. */
  entered: (Chain | null)[]
  best: Chain | null
  /** Latest end of a window among the chains that strict order cleared after it; null: none. */
  lapsedAt: number | null
  /** Attempt that was last written for the profile. */
  told: RecordedAttempt<Chain> | null
}

export function freshEntered(funnel: CompiledFunnel): Entered {
  const entered = [null, ...funnel.steps.map(() => null)]
  return { entered, best: null, lapsedAt: null, told: null }
}

export class PosthogFunnel {
  readonly #funnel: CompiledFunnel
  readonly #state: Entered

  /** Continues from `state` and changes it. */
  constructor(funnel: CompiledFunnel, state: Entered) {
    this.#funnel = funnel
    this.#state = state
  }

  /** Processes the points of one instant, in event order. */
  take(points: readonly Point[]): void {
    if (this.#isConverted()) return
    const [first] = points
    const areAlike = points.every((point) => matchedBy(point) === matchedBy(first as Point))
    if (areAlike) for (const point of points) this.#takeAlone(point)
    else {
      const turns = points.flatMap((point) =>
        point.steps.map((step) => ({ point, step: step + 1 })),
      )
      turns.sort((a, b) => a.step - b.step)
      for (const { point, step } of turns) this.#serve(point, step, true)
    }
  }

  #takeAlone(point: Point): void {
    for (const index of point.exclusions) {
      const { from = 0, to = 0 } = this.#funnel.exclusions[index] ?? {}
      for (let depth = to - 1; depth >= from; depth--) this.#taint(point, depth + 1)
    }
    for (const step of point.steps.toReversed()) this.#serve(point, step + 1, false)
    if (this.#funnel.order !== 'strict') return
    for (let step = 1; step <= this.#funnel.steps.length; step++) {
      if (!point.steps.includes(step - 1)) this.#clear(step, point.at)
    }
  }

  /** Clears the chain of a step. That its window was over already stays on record. */
  #clear(step: number, at: number): void {
    const { entered, lapsedAt } = this.#state
    const chain = entered[step]
    if (chain == null) return
    entered[step] = null
    const endsAt = chain.at + this.#funnel.windowUs
    if (step === this.#funnel.steps.length || at <= endsAt) return
    this.#state.lapsedAt = Math.max(lapsedAt ?? endsAt, endsAt)
  }

  /** Returns the depth of the chain that a step continues, 0 for a new one; null: none. */
  #before(at: number, step: number): number | null {
    const { entered } = this.#state
    const isOpen = (depth: number) => {
      const chain = entered[depth]
      return depth === 0 || (chain != null && at - chain.at <= this.#funnel.windowUs)
    }
    let depth = step - 1
    while (depth > 0 && !isOpen(depth) && this.#isOptional(depth)) depth -= 1
    if (!isOpen(depth)) return null
    const entry = depth === 0 ? at : entered[depth]?.at
    return entered[step]?.at === entry ? null : depth
  }

  #isOptional(step: number): boolean {
    return this.#funnel.steps[step - 1]?.isOptional === true
  }

  #taint({ at }: Point, step: number): void {
    const depth = this.#before(at, step)
    const { entered, best } = this.#state
    const chain = depth === null ? null : entered[depth]
    if (chain == null || chain.isTainted) return
    chain.isTainted = true
    if (best === null || depthOf(best) !== depth) return
    if (at - best.at <= this.#funnel.windowUs) best.isTainted = true
  }

  #serve(point: Point, step: number, isTie: boolean): void {
    const depth = this.#before(point.at, step)
    if (depth === null) return
    const { entered, best } = this.#state
    const { key, eventId, at, ordinal, source, sessionId } = point
    const before = entered[depth] ?? {
      at,
      ordinal,
      source,
      sessionId,
      isTainted: false,
      served: [],
    }
    const hasServed = before.served.some((one) => one.key === key && !this.#isOptional(one.step))
    if (isTie && hasServed) return
    const chain = { ...before, served: [...before.served, { key, eventId, at, step }] }
    if (!before.isTainted) entered[step] = chain
    if (best !== null && step <= depthOf(best) && !(step === depthOf(best) && best.isTainted))
      return
    this.#state.best = { ...chain }
  }

  #isConverted(): boolean {
    const { best } = this.#state
    return best !== null && !best.isTainted && depthOf(best) === this.#funnel.steps.length
  }

  /** Returns the last instant at which the attempt can go deeper; -Infinity if it cannot. */
  deadline(): number {
    if (this.#isConverted()) return -Infinity
    const { entered, best, lapsedAt } = this.#state
    const entries = [...entered.slice(0, -1), best].map((chain) => chain?.at ?? -Infinity)
    return Math.max(Math.max(...entries) + this.#funnel.windowUs, lapsedAt ?? -Infinity)
  }

  /** Writes what the profile's attempt has become. Returns the latest decided deadline. */
  finish(profileId: string, watermark: number | null, facts: FunnelFacts): number {
    const { best, told } = this.#state
    if (best === null) return -Infinity
    const deadline = this.deadline()
    const isOver = watermark !== null && deadline < watermark
    const ended = this.#isConverted()
      ? { because: 'converted' as const, at: best.served[best.served.length - 1]?.at ?? best.at }
      : isOver
        ? { because: 'window' as const, at: deadline }
        : null
    this.#state.told = best.isTainted ? null : { chain: best, ended }
    this.#write(facts.own(this.#funnel, profileId), this.#state.told, told, facts)
    return ended?.because === 'window' ? deadline : -Infinity
  }

  #write(
    owner: number,
    is: RecordedAttempt<Chain> | null,
    was: RecordedAttempt<Chain> | null,
    facts: FunnelFacts,
  ): void {
    const numbersBefore = new Map(was?.chain.served.map(({ step, key }) => [step, key]))
    if (is === null) {
      if (was === null) return
      const gone = facts.addAttempt(owner, attemptOf(was.chain), WITHDRAWN)
      for (const number of numbersBefore.keys()) facts.withdrawStep(gone, number)
      return
    }
    if (was !== null && isSameAttempt(was, is)) return
    const { chain, ended } = is
    const attempt = attemptOf(chain)
    attempt.ended = ended
    const fact = facts.addAttempt(owner, attempt, was === null ? NEW : REPLACED)
    for (const { key, eventId, at, step } of chain.served) {
      const before = numbersBefore.get(step)
      numbersBefore.delete(step)
      if (before === key) continue
      facts.addStep(fact, step, step - 1, at, eventId, before !== undefined)
    }
    for (const number of numbersBefore.keys()) facts.withdrawStep(fact, number)
  }
}

/** 1-based. */
function depthOf({ served }: Chain): number {
  return served[served.length - 1]?.step ?? 0
}

function matchedBy({ steps, exclusions }: Point): string {
  return `${steps.join()}/${exclusions.join()}`
}

function attemptOf(chain: Chain): Attempt {
  const { served } = chain
  const reached = served.map(({ step }) => step - 1)
  return soleAttempt({ ...chain, eventId: served[0]?.eventId ?? null }, reached)
}
