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
import { AttemptLists, retain } from './attempt-lists.ts'
import { deadlineOf, depthOf } from './attempt-progress.ts'
import type { CompiledFunnel, CompiledStep } from '../definition/compile-funnel.ts'
import { RecentSteps, stepEvent, type RecentGroup, type StepEvent } from './recent-steps.ts'
import type { Attempt, EndedBecause, FunnelFacts } from './funnel-facts.ts'
import { inStepOrder, type Point } from './funnel-point.ts'

/** State of a profile and a funnel between runs, as JSON. */
export type AttemptsState = {
  open: Attempt[]
  /** An entry has occurred, so `entry: first` allows no other. */
  hasEntered: boolean
  /** An exclusion has removed the profile permanently. */
  isRemoved: boolean
  /** In any order: events that a later attempt may take along. */
  recent: RecentGroup[]
}

export function freshAttempts(): AttemptsState {
  return { open: [], hasEntered: false, isRemoved: false, recent: [] }
}

export class Attempts {
  readonly #funnel: CompiledFunnel
  readonly #state: AttemptsState
  readonly #lists: AttemptLists
  readonly #changes = new AttemptChanges()
  readonly #recent: RecentSteps
  #tie = 0
  /** Tie of the last conversion. */
  #convertedTie = -1

  /** Continues from `state`; `finish` updates it. */
  constructor(funnel: CompiledFunnel, state: AttemptsState) {
    this.#funnel = funnel
    this.#state = state
    this.#recent = new RecentSteps(state.recent)
    this.#lists = new AttemptLists(funnel.order === 'any')
    for (const attempt of state.open) {
      attempt.tie = 0
      this.#lists.of(attempt).push(attempt)
    }
  }

  /** Processes points that tie, in event order; usually there is only one. */
  take(points: readonly Point[]): void {
    this.#tie += 1
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
    if (step === 0) this.#enter(point, 0)
    else this.#serve(point, step)
  }

  #enter(point: Point, step: number, along: readonly StepEvent[] = []): void {
    const { entry, steps, journey } = this.#funnel
    const { key, eventId, at, ordinal, source, sessionId } = along[0] ?? point
    // For a journey's funnel, `fold-funnels.ts` passes only the first entry of an instance.
    if (entry === 'first' && journey === null && this.#state.hasEntered) return
    this.#state.hasEntered = true
    const attempt: Attempt = {
      key,
      scope: point.scope,
      held: point.held,
      eventId,
      at,
      ordinal,
      cause: point.cause,
      source,
      sessionId,
      reached: [],
      anchorAt: at,
      isOnRecord: false,
      ended: null,
      tie: 0,
      servedBy: [],
    }
    const isAlone = point.steps.length === 1 && along.length === 0
    if (entry === 'latest' && isAlone) this.#withdrawReplaced(point, step)
    for (const event of along) this.#reach(attempt, event.step, event)
    this.#reach(attempt, step, point)
    if (steps.length > 1) this.#lists.of(attempt).push(attempt)
  }

  /** Withdraws the attempt at the first step that a new entry replaces. */
  #withdrawReplaced(point: Point, step: number): void {
    const list = this.#lists.at(point.scope, step, point.held)
    const replaced = list[list.length - 1]
    if (replaced === undefined) return
    list.pop()
    if (point.at > deadlineOf(this.#funnel, replaced)) {
      this.#end(replaced, 'window', deadlineOf(this.#funnel, replaced))
      return
    }
    this.#changes.withdraw(replaced)
  }

  /** Advances the attempts for which the point is their next step. */
  #serve(point: Point, step: number): void {
    const { steps } = this.#funnel
    for (let from = step - 1; from >= 0; from--) {
      const list = this.#lists.at(point.scope, from, point.held)
      if (list.length > 0) this.#advance(list, step, point)
      if (steps[from]?.isOptional !== true) break
    }
  }

  #serveAny(point: Point): void {
    let hasServed = false
    const served: number[] = []
    for (const attempts of this.#lists.ofPlace(point.scope, point.held)) {
      const reached = attempts[0]?.reached ?? []
      const step = point.steps.find((one) => !reached.includes(one))
      if (step === undefined || this.#advance(attempts, step, point) === 0) continue
      hasServed = true
      served.push(step)
    }
    const [first] = point.steps
    if (!hasServed && first !== undefined) {
      served.push(first)
      this.#enter(point, first, this.#takenAlong(point, first))
    }
    for (const step of served) this.#recent.add(point.scope, point.held, stepEvent(point, step))
    if (this.#convertedTie === this.#tie) this.#recent.clear(point.scope, point.held)
  }

  /** Returns the events with which the window of a new attempt begins; another attempt's entry is
   * left to that attempt. */
  #takenAlong(point: Point, step: number): StepEvent[] {
    const { scope, held } = point
    const { windowUs, mustIncrease } = this.#funnel
    const place = { scope, held, from: point.at - windowUs, mustIncrease }
    const events = this.#recent.before(stepEvent(point, step), place)
    if (events.length === 0) return events
    const lists = this.#lists.ofPlace(scope, held)
    const entries = new Set(lists.flatMap((attempts) => attempts.map(({ key }) => key)))
    const start = events.findIndex(({ key }) => !entries.has(key))
    return start < 0 ? [] : events.slice(start)
  }

  /** Advances attempts of a list to a step; the others stay. Returns how many advanced. */
  #advance(list: Attempt[], step: number, point: Point): number {
    const moving: Attempt[] = []
    retain(list, (attempt) => {
      const deadline = deadlineOf(this.#funnel, attempt)
      if (point.at > deadline) {
        this.#end(attempt, 'window', deadline)
        return false
      }
      if (!this.#canServe(attempt, step, point)) return true
      moving.push(attempt)
      return false
    })
    for (const attempt of moving) {
      this.#reach(attempt, step, point)
      if (attempt.ended === null) this.#lists.of(attempt).push(attempt)
    }
    return moving.length
  }

  #canServe(attempt: Attempt, step: number, point: Point): boolean {
    if (attempt.tie === this.#tie && attempt.servedBy.includes(point.key)) return false
    const { withinUs, minGapUs } = this.#funnel.steps[step] as CompiledStep
    const gap = point.at - attempt.anchorAt
    return gap <= withinUs && gap >= minGapUs && (gap > 0 || !this.#funnel.mustIncrease)
  }

  #reach(attempt: Attempt, step: number, point: Pick<Point, 'key' | 'at' | 'eventId'>): void {
    const { steps, order } = this.#funnel
    if (attempt.tie !== this.#tie) attempt.servedBy = []
    attempt.tie = this.#tie
    attempt.servedBy.push(point.key)
    attempt.reached.push(step)
    if (steps[step]?.isOptional !== true) attempt.anchorAt = point.at
    const number = order === 'any' ? attempt.reached.length : step + 1
    const fact = { number, step, at: point.at, eventId: point.eventId }
    this.#changes.reach(attempt, fact)
    const isLast = order === 'any' ? number === steps.length : step === steps.length - 1
    if (!isLast) return
    this.#convertedTie = this.#tie
    this.#end(attempt, 'converted', point.at)
  }

  #exclude(point: Point, index: number): void {
    const exclusion = this.#funnel.exclusions[index]
    if (exclusion === undefined) return
    const { from, to, removesProfile } = exclusion
    const isBetween = (depth: number) => depth >= from && depth < to
    const count = this.#endAll(point.scope, isBetween, point.at, 'excluded')
    if (count > 0) this.#recent.clearScope(point.scope)
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
    for (const attempts of this.#lists.ofScope(scope)) {
      const [first] = attempts
      if (first === undefined || !isDeep(depthOf(this.#funnel, first.reached))) continue
      retain(attempts, (attempt) => {
        if (attempt.tie === this.#tie) return true
        const deadline = deadlineOf(this.#funnel, attempt)
        const isOver = at > deadline
        this.#end(attempt, isOver ? 'window' : because, isOver ? deadline : at)
        if (!isOver) count += 1
        return false
      })
    }
    return count
  }

  #end(attempt: Attempt, because: EndedBecause, at: number): void {
    attempt.ended = { because, at }
    this.#changes.touch(attempt)
  }

  /**
   * Decides all windows that have passed at the watermark (null decides none), adds changed
   * attempts to `facts`, and keeps open ones in `state`. Returns the latest deadline decided.
   */
  finish(profileId: string, watermark: number | null, facts: FunnelFacts): number {
    let decided = -Infinity
    const { open } = this.#state
    open.length = 0
    for (const attempts of this.#lists.all()) {
      for (const attempt of attempts) {
        const deadline = deadlineOf(this.#funnel, attempt)
        if (watermark !== null && deadline < watermark) {
          this.#end(attempt, 'window', deadline)
          decided = Math.max(decided, deadline)
        } else open.push(attempt)
      }
    }
    if (watermark !== null) {
      decided = Math.max(decided, this.#recent.prune(this.#funnel.windowUs, watermark))
    }
    if (this.#state.isRemoved) open.length = 0
    else this.#changes.writeTo(this.#funnel, profileId, facts)
    for (const attempt of open) attempt.isOnRecord = true
    return decided
  }
}
