/**
 * Attempts of one profile at one funnel; `clickhouse-funnel.ts` implements ClickHouse's semantics.
 * Pure and synchronous; `fold-funnels.ts` passes the events.
 *
 * - A first step opens an attempt: each one (`every`), only the first ever (`first`), or the last
 *   of several without a further step in between (`latest`: a later entry replaces an attempt that
 *   is still at the first step). In any order, the entry is the first event that matches a step,
 *   and an event that an open attempt takes opens none. An attempt takes along the latest event of
 *   each other step in its window (see `recent-steps.ts`), which then begins with the first of them.
 * - Attempts are independent. In an attempt, an event matches one step, the earliest possible. A
 *   step is taken when it occurs; optional steps may be skipped.
 * - The window starts at the entry and is inclusive. `within` and `minGap` of a step are inclusive
 *   too, and measured from the previous step that is not optional. An attempt ends (`window`) when
 *   its window, or the one of its next step, has passed.
 * - Strict order: an event that is not the next step ends the attempt (`order`).
 * - An exclusion ends attempts that are between its steps (`excluded`). With `remove-profile`, the
 *   profile has no attempts at this funnel.
 * - Events with the same instant and ordinal are a tie. Their order is unknown and is resolved in
 *   favour of the attempt: they are taken in step order, and an attempt that takes one of them is
 *   neither excluded nor out of order because of another. With `mustIncrease`, every step must be
 *   later than the previous step that is not optional.
 *
 * Attempts at the same position with the same held values share a list, so an event is checked only
 * against attempts that can take it.
 */

import { AttemptChanges } from './attempt-changes.ts'
import { AttemptLists, retain, type AttemptList } from './attempt-lists.ts'
import { deadlineOf, depthOf } from './attempt-progress.ts'
import type { CompiledFunnel, CompiledStep } from '../definition/compile-funnel.ts'
import { freshAttempts, type AttemptsState } from './funnel-state.ts'
import { RecentSteps, stepEvent, type StepEvent } from './recent-steps.ts'
import { newAttempt, type Attempt, type EndedBecause, type FunnelFacts } from './funnel-facts.ts'
import { inStepOrder, type Point } from './funnel-point.ts'

const NOTHING: readonly StepEvent[] = []

export class Attempts {
  readonly #funnel: CompiledFunnel
  readonly #changes: AttemptChanges
  readonly #lists: AttemptLists
  /** Null unless the funnel is in any order. */
  #recent: RecentSteps | null = null
  #state: AttemptsState = freshAttempts()
  #tie = 0
  /** Whether the current tie has several points. */
  #isSeveral = false
  /** Tie of the last conversion. */
  #convertedTie = -1
  /** Attempts that take a step, while it is taken. */
  readonly #moving: Attempt[] = []

  /** Adds what happens to `facts`. */
  constructor(funnel: CompiledFunnel, facts: FunnelFacts) {
    this.#funnel = funnel
    this.#changes = new AttemptChanges(funnel, facts)
    this.#lists = new AttemptLists(funnel.order === 'any')
  }

  /** Begins a run that continues a profile from `state`; `finish` updates it. */
  begin(profileId: string, state: AttemptsState): void {
    this.#changes.begin(profileId)
    this.#state = state
    this.#tie = 0
    this.#convertedTie = -1
    if (this.#funnel.order === 'any') this.#recent = new RecentSteps(state.recent)
    this.#lists.clear()
    for (const attempt of state.open) {
      attempt.tie = 0
      this.#lists.add(attempt)
    }
  }

  /** Processes points that tie, in event order; usually there is only one. */
  take(points: readonly Point[]): void {
    this.#tie += 1
    this.#isSeveral = points.length > 1
    const [only] = points
    if (this.#funnel.order === 'any') for (const point of points) this.#serveAny(point)
    else if (points.length === 1 && only !== undefined) {
      for (const step of only.steps) this.#step(only, step)
    } else for (const [step, point] of inStepOrder(points)) this.#step(point, step)
    for (const point of points) {
      for (const exclusion of point.exclusions) this.#exclude(point, exclusion)
      if (this.#funnel.order === 'strict') this.#endAll(point.scope, () => true, point.at, 'order')
    }
  }

  /** Ends all attempts of a completed instance, whose id is `scope`. */
  complete(scope: string, at: number): void {
    this.#tie += 1
    this.#endAll(scope, () => true, at, 'final')
  }

  /** Returns false if no attempt in the scope was ever open. */
  mayBeOpen(scope: string): boolean {
    return this.#lists.has(scope)
  }

  #step(point: Point, step: number): void {
    if (step === 0) this.#enter(point, 0, NOTHING)
    else this.#serve(point, step)
  }

  #enter(point: Point, step: number, along: readonly StepEvent[]): void {
    const { entry, steps, journey } = this.#funnel
    // For a journey's funnel, `fold-funnels.ts` passes only the first entry of an instance.
    if (entry === 'first' && journey === null && this.#state.hasEntered) return
    this.#state.hasEntered = true
    const attempt = newAttempt(along[0] ?? point, point, [])
    const isAlone = point.steps.length === 1 && along.length === 0
    if (entry === 'latest' && isAlone) this.#withdrawReplaced(point, step)
    for (const event of along) this.#reach(attempt, event.step, event)
    this.#reach(attempt, step, point)
    if (steps.length > 1) this.#lists.add(attempt)
  }

  /** Withdraws the attempt at the first step that a new entry replaces. */
  #withdrawReplaced(point: Point, step: number): void {
    const list = this.#lists.at(point.scope, step, point.held)
    if (list === null || list.count === 0) return
    list.count -= 1
    const replaced = list.at(list.count)
    if (point.at > deadlineOf(this.#funnel, replaced)) {
      this.#changes.end(replaced, 'window', deadlineOf(this.#funnel, replaced))
      return
    }
    this.#changes.withdraw(replaced)
  }

  /** Advances the attempts for which the point is their next step. */
  #serve(point: Point, step: number): void {
    const { steps } = this.#funnel
    for (let from = step - 1; from >= 0; from--) {
      const list = this.#lists.at(point.scope, from, point.held)
      if (list !== null && list.count > 0) this.#advance(list, step, point)
      if (steps[from]?.isOptional !== true) break
    }
  }

  #serveAny(point: Point): void {
    let hasServed = false
    const served: number[] = []
    for (const list of this.#lists.ofPlace(point.scope, point.held)) {
      const reached = list.count === 0 ? [] : list.at(0).reached
      const step = point.steps.find((one) => !reached.includes(one))
      if (step === undefined || this.#advance(list, step, point) === 0) continue
      hasServed = true
      served.push(step)
    }
    const [first] = point.steps
    if (!hasServed && first !== undefined) {
      served.push(first)
      this.#enter(point, first, this.#takenAlong(point, first))
    }
    const recent = this.#recent as RecentSteps
    for (const step of served) recent.add(point.scope, point.held, stepEvent(point, step))
    if (this.#convertedTie === this.#tie) recent.clear(point.scope, point.held)
  }

  /** Returns the events with which the window of a new attempt begins; another attempt's entry is
   * left to that attempt. */
  #takenAlong(point: Point, step: number): StepEvent[] {
    const { scope, held } = point
    const { windowUs, mustIncrease } = this.#funnel
    const place = { scope, held, from: point.at - windowUs, mustIncrease }
    const events = (this.#recent as RecentSteps).before(stepEvent(point, step), place)
    if (events.length === 0) return events
    const entries = new Set<string>()
    for (const list of this.#lists.ofPlace(scope, held)) {
      for (let i = 0; i < list.count; i++) entries.add(list.at(i).key)
    }
    const start = events.findIndex(({ key }) => !entries.has(key))
    return start < 0 ? [] : events.slice(start)
  }

  /** Advances attempts of a list to a step; the others stay. Returns how many advanced. */
  #advance(list: AttemptList, step: number, point: Point): number {
    const moving = this.#moving
    let kept = 0
    let moved = 0
    for (let i = 0; i < list.count; i++) {
      const attempt = list.at(i)
      const deadline = deadlineOf(this.#funnel, attempt)
      if (point.at > deadline) this.#changes.end(attempt, 'window', deadline)
      else if (this.#canServe(attempt, step, point)) moving[moved++] = attempt
      else list.move(i, kept++)
    }
    list.count = kept
    for (let i = 0; i < moved; i++) {
      const attempt = moving[i] as Attempt
      this.#reach(attempt, step, point)
      if (attempt.ended === null) this.#lists.add(attempt)
    }
    return moved
  }

  #canServe(attempt: Attempt, step: number, point: Point): boolean {
    if (attempt.tie === this.#tie) {
      if (!this.#isSeveral || attempt.servedBy.includes(point.key)) return false
    }
    const { withinUs, minGapUs } = this.#funnel.steps[step] as CompiledStep
    const gap = point.at - attempt.anchorAt
    return gap <= withinUs && gap >= minGapUs && (gap > 0 || !this.#funnel.mustIncrease)
  }

  #reach(attempt: Attempt, step: number, point: Pick<Point, 'key' | 'at' | 'eventId'>): void {
    const { steps, order } = this.#funnel
    if (this.#isSeveral) {
      const served = attempt.tie === this.#tie ? attempt.servedBy : []
      attempt.servedBy = [...served, point.key]
    }
    attempt.tie = this.#tie
    // The list is short, and a push would reserve room for more.
    attempt.reached = [...attempt.reached, step]
    if (steps[step]?.isOptional !== true) attempt.anchorAt = point.at
    const number = order === 'any' ? attempt.reached.length : step + 1
    this.#changes.reach(attempt, { number, step }, point)
    const isLast = order === 'any' ? number === steps.length : step === steps.length - 1
    if (!isLast) return
    this.#convertedTie = this.#tie
    this.#changes.end(attempt, 'converted', point.at)
  }

  #exclude(point: Point, index: number): void {
    const exclusion = this.#funnel.exclusions[index]
    if (exclusion === undefined) return
    const { from, to, removesProfile } = exclusion
    const isBetween = (depth: number) => depth >= from && depth < to
    const count = this.#endAll(point.scope, isBetween, point.at, 'excluded')
    if (count > 0) this.#recent?.clearScope(point.scope)
    if (removesProfile && count > 0) this.#state.isRemoved = true
  }

  /**
   * Ends the attempts of a scope at the given depths, except those that the current tie advanced.
   * Returns how many of the ended ones were within their window.
   */
  #endAll(
    scope: string,
    isDeep: (depth: number) => boolean,
    at: number,
    because: EndedBecause,
  ): number {
    let count = 0
    for (const list of this.#lists.ofScope(scope)) {
      if (list.count === 0 || !isDeep(depthOf(this.#funnel, list.at(0).reached))) continue
      retain(list, (attempt) => {
        if (attempt.tie === this.#tie) return true
        const deadline = deadlineOf(this.#funnel, attempt)
        const isOver = at > deadline
        this.#changes.end(attempt, isOver ? 'window' : because, isOver ? deadline : at)
        if (!isOver) count += 1
        return false
      })
    }
    return count
  }

  /**
   * Decides all windows that have passed at the watermark (null decides none) and keeps open attempts
   * in the state. Returns the latest deadline decided.
   */
  finish(watermark: number | null): number {
    let decided = -Infinity
    let isOpen = 0
    const { open } = this.#state
    for (let l = 0; l < this.#lists.count; l++) {
      const list = this.#lists.get(l)
      for (let i = 0; i < list.count; i++) {
        const attempt = list.at(i)
        const deadline = deadlineOf(this.#funnel, attempt)
        if (watermark === null || deadline >= watermark) {
          open[isOpen++] = attempt
          continue
        }
        this.#changes.end(attempt, 'window', deadline)
        decided = Math.max(decided, deadline)
      }
    }
    open.length = this.#state.isRemoved ? 0 : isOpen
    if (watermark !== null && this.#recent !== null) {
      decided = Math.max(decided, this.#recent.prune(this.#funnel.windowUs, watermark))
    }
    this.#changes.finish(this.#state.isRemoved)
    for (const one of open) one.isOnRecord = true
    return decided
  }
}
