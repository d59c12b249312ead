/**
 * Computes the level of a profile like ClickHouse's `windowFunnel`, as one attempt of the profile.
 *
 * For every step it keeps the chain of events that last reached it. An entry replaces the chain of
 * the first step. A step is reached if the previous step has a chain whose entry is within the
 * window. One event may match several steps. The level is the deepest step ever reached; the
 * attempt is the first chain that reached it.
 *
 * - `strict_increase`: a step must be later than the previous one.
 * - `strict_deduplication`: an event of a step (except the first) that has a chain ends the scan.
 * - `strict_order`: after an entry, an event that matches no step, or a step too early, ends the
 *   scan.
 * - `allow_reentry`, with `strict_order`: a step too early is skipped instead.
 * - `strict_once`: all chains are kept, not only the last, and an event matches one step of each.
 *
 * Events of one instant are taken in step order, after those that match no step. An ended scan has
 * the reason `order`. Otherwise the attempt is pending while a chain can continue.
 */

import type { Point } from './funnel-point.ts'
import type { CompiledFunnel } from '../definition/compile-funnel.ts'
import { NEW, REPLACED, type Attempt, type FunnelFacts } from './funnel-facts.ts'
import { isSameAttempt, soleAttempt, type RecordedAttempt } from './sole-attempt.ts'

type Served = { key: string; eventId: string | null; at: number }

type Chain = {
  /** Ordinal of its first event. */
  ordinal: number
  source: string | null
  sessionId: string | null
  /** By step. */
  served: Served[]
}

/** State of a profile between runs, as JSON. */
export type Levels = {
  /** By step. */
  chains: Chain[][]
  /** The first chain of the greatest depth. */
  best: Chain | null
  /** When the scan was stopped, microseconds; null: it goes on. */
  stoppedAt: number | null
  /** Attempt that was last written for the profile. */
  told: RecordedAttempt<Chain> | null
}

export function freshLevels(funnel: CompiledFunnel): Levels {
  return { chains: funnel.steps.map(() => []), best: null, stoppedAt: null, told: null }
}

export class WindowFunnel {
  readonly #funnel: CompiledFunnel
  readonly #modes: NonNullable<CompiledFunnel['clickhouse']>
  readonly #levels: Levels

  /** Continues from `levels` and changes it. */
  constructor(funnel: CompiledFunnel, levels: Levels) {
    this.#funnel = funnel
    this.#modes = funnel.clickhouse ?? new Set()
    this.#levels = levels
  }

  /** Processes the points of one instant, in event order. */
  take(points: readonly Point[]): void {
    for (const point of points) if (point.steps.length === 0) this.#pass(point)
    this.#funnel.steps.forEach((_, step) => {
      for (const point of points) if (point.steps.includes(step)) this.#serve(point, step)
    })
  }

  /** Processes an event that matches no step. */
  #pass({ at }: Point): void {
    if (this.#modes.has('strict_order') && this.#levels.best !== null) this.#stop(at)
  }

  #stop(at: number): void {
    this.#levels.stoppedAt ??= at
    for (const chains of this.#levels.chains) chains.length = 0
  }

  #serve(point: Point, step: number): void {
    const { chains, stoppedAt, best } = this.#levels
    if (stoppedAt !== null || best?.served.length === this.#funnel.steps.length) return
    const served = { key: point.key, eventId: point.eventId, at: point.at }
    const { ordinal, source, sessionId } = point
    if (step === 0) this.#reach(0, { ordinal, source, sessionId, served: [served] })
    else if (this.#modes.has('strict_deduplication') && chains[step]?.length !== 0)
      this.#stop(point.at)
    else if (chains[step - 1]?.length === 0) {
      const mayPass = !this.#modes.has('strict_order') || this.#modes.has('allow_reentry')
      if (!mayPass && best !== null) this.#stop(point.at)
    } else {
      for (const chain of this.#inWindow(step - 1, point.at)) {
        if (this.#canServe(chain, point)) {
          this.#reach(step, { ...chain, served: [...chain.served, served] })
        }
      }
    }
  }

  /** Keeps the chains of a step whose window is open, and the latest of the others as a marker. */
  #inWindow(step: number, at: number): Chain[] {
    const chains = this.#levels.chains[step] as Chain[]
    const open = chains.filter((chain) => at <= entryOf(chain).at + this.#funnel.windowUs)
    if (open.length > 0) this.#levels.chains[step] = open
    else chains.splice(0, chains.length - 1)
    return open
  }

  #canServe({ served }: Chain, point: Point): boolean {
    const last = served[served.length - 1] as Served
    if (this.#modes.has('strict_increase') && last.at >= point.at) return false
    return !this.#modes.has('strict_once') || served.every(({ key }) => key !== point.key)
  }

  #reach(step: number, chain: Chain): void {
    const { chains, best } = this.#levels
    if (this.#modes.has('strict_once')) chains[step]?.push(chain)
    else chains[step] = [chain]
    if (best === null || chain.served.length > best.served.length) this.#levels.best = chain
  }

  /** Returns the last instant at which a chain can continue; -Infinity if none can. */
  deadline(): number {
    const { chains, best } = this.#levels
    if (best?.served.length === this.#funnel.steps.length) return -Infinity
    let latest = -Infinity
    for (const list of chains.slice(0, -1)) {
      for (const chain of list) latest = Math.max(latest, entryOf(chain).at)
    }
    return latest + this.#funnel.windowUs
  }

  /** Writes the profile's level to `facts`. Returns the latest deadline decided. */
  finish(profileId: string, watermark: number | null, facts: FunnelFacts): number {
    const { best, told } = this.#levels
    if (best === null) return -Infinity
    const deadline = this.deadline()
    const isOver = watermark !== null && deadline < watermark
    this.#levels.told = { chain: best, ended: this.#endOf(best, isOver ? deadline : null) }
    this.#record(profileId, this.#levels.told, told, facts)
    return isOver ? deadline : -Infinity
  }

  /** `overAt`: when the last window closed; null: one is open. */
  #endOf(best: Chain, overAt: number | null): Attempt['ended'] {
    const { stoppedAt } = this.#levels
    const last = best.served[best.served.length - 1] as Served
    const isConverted = best.served.length === this.#funnel.steps.length
    if (isConverted) return { because: 'converted', at: last.at }
    if (stoppedAt !== null) return { because: 'order', at: stoppedAt }
    return overAt === null ? null : { because: 'window', at: overAt }
  }

  #record(
    profileId: string,
    is: RecordedAttempt<Chain>,
    was: RecordedAttempt<Chain> | null,
    facts: FunnelFacts,
  ): void {
    if (was !== null && isSameAttempt(was, is)) return
    const { chain, ended } = is
    const reached = chain.served.map((_, step) => step)
    const attempt = soleAttempt({ ...chain, ...entryOf(chain) }, reached)
    attempt.ended = ended
    const owner = facts.own(this.#funnel, profileId)
    const fact = facts.addAttempt(owner, attempt, was === null ? NEW : REPLACED)
    chain.served.forEach(({ key, eventId, at }, step) => {
      const before = was?.chain.served[step]
      if (before?.key === key) return
      facts.addStep(fact, step + 1, step, at, eventId, before !== undefined)
    })
  }
}

function entryOf(chain: Chain): Served {
  return chain.served[0] as Served
}
