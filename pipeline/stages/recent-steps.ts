/**
 * The latest event of each step of a funnel in any order, by scope and held values. An attempt that
 * an event opens takes along those still in its window, so that the best window is found wherever it
 * begins.
 */

/** Event that was taken as a step. */
export type StepEvent = {
  step: number
  key: string
  eventId: string | null
  at: number
  ordinal: number
  source: string | null
  sessionId: string | null
}

/** In the order in which the events were taken, one a step. */
export type RecentGroup = { scope: string; held: string; events: StepEvent[] }

export class RecentSteps {
  readonly #groups: RecentGroup[]
  readonly #byPlace: Map<string, RecentGroup>

  /** Continues from `groups` and changes it. */
  constructor(groups: RecentGroup[]) {
    this.#groups = groups
    this.#byPlace = new Map(groups.map((group) => [placeOf(group.scope, group.held), group]))
  }

  #keep(group: RecentGroup): void {
    this.#groups.push(group)
    this.#byPlace.set(placeOf(group.scope, group.held), group)
  }

  add(scope: string, held: string, event: StepEvent): void {
    let group = this.#byPlace.get(placeOf(scope, held))
    if (group === undefined) {
      group = { scope, held, events: [] }
      this.#keep(group)
    }
    group.events = group.events.filter(({ step }) => step !== event.step)
    group.events.push(event)
  }

  /**
   * Returns the events that an attempt opened by `event` takes along: of other steps, since `from`,
   * each event once, and with `mustIncrease` one an instant.
   */
  before(
    event: StepEvent,
    {
      scope,
      held,
      from,
      mustIncrease,
    }: Omit<RecentGroup, 'events'> & {
      from: number
      mustIncrease: boolean
    },
  ): StepEvent[] {
    const taken = [event]
    for (const one of this.#byPlace.get(placeOf(scope, held))?.events.toReversed() ?? []) {
      if (one.at < from || one.step === event.step) continue
      if (taken.some(({ key }) => key === one.key)) continue
      if (mustIncrease && one.at >= (taken[0] as StepEvent).at) continue
      taken.unshift(one)
    }
    return taken.slice(0, -1)
  }

  /** Forgets the events of a place, where an attempt has converted. */
  clear(scope: string, held: string): void {
    const group = this.#byPlace.get(placeOf(scope, held))
    if (group !== undefined) group.events = []
  }

  /** Forgets the events of a scope, whatever the held values: an exclusion has occurred there. */
  clearScope(scope: string): void {
    for (const group of this.#groups) if (group.scope === scope) group.events = []
  }

  /** Forgets events whose window has passed at the watermark. Returns the latest end of one. */
  prune(windowUs: number, watermark: number): number {
    let decided = -Infinity
    for (const group of this.#groups) {
      group.events = group.events.filter(({ at }) => {
        if (at + windowUs >= watermark) return true
        decided = Math.max(decided, at + windowUs)
        return false
      })
    }
    const kept = this.#groups.filter(({ events }) => events.length > 0)
    this.#groups.length = 0
    this.#byPlace.clear()
    for (const group of kept) this.#keep(group)
    return decided
  }
}

/** Returns the key of a scope and held values. No part contains a NUL: held values are JSON. */
export function placeOf(scope: string, held: string): string {
  return `${held}\0${scope}`
}

/** Returns the event as one that was taken as a step. */
export function stepEvent(event: Omit<StepEvent, 'step'>, step: number): StepEvent {
  const { key, eventId, at, ordinal, source, sessionId } = event
  return { step, key, eventId, at, ordinal, source, sessionId }
}
