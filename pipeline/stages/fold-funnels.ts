/**
 * Folds a profile's events and transitions into funnel attempts and the steps they reached. Keyed
 * by profile, pure and synchronous; a profile can be continued as in `fold-journeys.ts`.
 *
 * An event funnel reads the profile's events. A journey's funnel reads the states that its
 * instances enter; a completed instance ends its attempts. `funnel-attempts.ts` defines attempts,
 * `clickhouse-funnel.ts` and `posthog-funnel.ts` those of other semantics.
 *
 * A profile can be continued if its new events are after all folded ones and none is within a
 * decided window. An event that ties with the last folded one, or removes the profile, changes
 * written rows: the profile must be refolded (`mustFoldAgain`).
 */

import { deadlineOf } from './attempt-progress.ts'
import { Attempts, freshAttempts, type AttemptsState } from './funnel-attempts.ts'
import type { Point } from './funnel-point.ts'
import type { CompiledFunnel, Match } from '../definition/compile-funnel.ts'
import type { Events, RowList } from './events.ts'
import type { Ints } from './growable-array.ts'
import { EVENT, type Facts } from './journey-facts.ts'
import { keyText, type Instance } from './instance.ts'
import type { FunnelFacts } from './funnel-facts.ts'
import type { Scope } from '../definition/guard.ts'
import type { Json } from '../base/json.ts'
import type { Place } from '../base/event-order.ts'
import { freshLevels, WindowFunnel, type Levels } from './clickhouse-funnel.ts'
import { freshEntered, PosthogFunnel, type Entered } from './posthog-funnel.ts'

/** State of a profile at a funnel, by its semantics. */
export type StateAtFunnel = AttemptsState | Levels | Entered

/** State of a profile between runs. `byFunnel[f]` belongs to `funnels[f]`. */
export type FunnelState = {
  byFunnel: StateAtFunnel[]
  /** Windows up to this instant are decided, so no earlier event can be added. */
  decidedUpTo: number
}

export function freshFunnels(funnels: readonly CompiledFunnel[]): FunnelState {
  const byFunnel = funnels.map((funnel): StateAtFunnel => {
    if (funnel.isPosthog) return freshEntered(funnel)
    return funnel.clickhouse === null ? freshAttempts() : freshLevels(funnel)
  })
  return { byFunnel, decidedUpTo: -Infinity }
}

/** Returns the earliest instant at which a window closes without an event; `Infinity` if none. */
export function funnelsDueOf(funnels: readonly CompiledFunnel[], state: FunnelState): number {
  let due = Infinity
  funnels.forEach((funnel, f) => {
    const one = state.byFunnel[f] as StateAtFunnel
    const deadlines =
      'open' in one
        ? one.open.map((attempt) => deadlineOf(funnel, attempt))
        : one.told?.ended === null
          ? [levelOf(funnel, one).deadline()]
          : []
    // A window includes its last instant, so it is over one microsecond later.
    for (const deadline of deadlines) if (deadline + 1 < due) due = deadline + 1
  })
  return due
}

/** Input of the stage, and the facts it adds to. */
export type FunnelParts = {
  funnels: readonly CompiledFunnel[]
  events: Events
  /** Code of the session by row. */
  sessionOf: Ints
  /** Facts of the journeys, for journeys' funnels. */
  facts: Facts
  found: FunnelFacts
}

export class FunnelFold implements Scope {
  readonly #parts: FunnelParts
  #row = -1

  constructor(parts: FunnelParts) {
    this.#parts = parts
  }

  /**
   * Continues `state` in place over `rows` (in event order) and over the transitions from
   * `firstTransition` on, all of this profile, then up to the watermark (null decides no window).
   */
  run(
    profileId: string,
    state: FunnelState,
    rows: RowList,
    firstTransition: number,
    watermark: number | null,
  ): void {
    const { funnels, found } = this.#parts
    for (let f = 0; f < funnels.length; f++) {
      const funnel = funnels[f] as CompiledFunnel
      const one = state.byFunnel[f] as StateAtFunnel
      if ('isRemoved' in one && one.isRemoved) continue
      if (isIdle(one) && !this.#isAsked(funnel, rows, firstTransition)) continue
      const stage = 'open' in one ? new Attempts(funnel, one) : levelOf(funnel, one)
      if (funnel.journey === null) this.#events(funnel, stage, rows)
      else this.#transitions(funnel, stage as Attempts, firstTransition)
      const decided = stage.finish(profileId, watermark, found) + 1
      if (decided > state.decidedUpTo) state.decidedUpTo = decided
    }
  }

  /** Returns false if nothing that happened can open an attempt. */
  #isAsked(funnel: CompiledFunnel, rows: RowList, firstTransition: number): boolean {
    const { events, facts } = this.#parts
    if (funnel.journey !== null) return firstTransition < facts.transitions.count
    for (let i = 0; i < rows.length; i++) {
      if (funnel.stepsOfEvent[events.code.at(rows[i] as number)] !== undefined) return true
    }
    return false
  }

  /** Returns whether new rows at the end of event order change written rows. */
  mustFoldAgain(state: FunnelState, last: Place | null, given: RowList): boolean {
    const { funnels, events } = this.#parts
    if (given.length === 0 || funnels.every(({ journey }) => journey !== null)) return false
    const rows = Array.from(given)
    const tied = rows.filter((row) => events.occurredAt.at(row) === last?.[0])
    return funnels.some((funnel, f) => {
      if (funnel.journey !== null) return false
      const isTied = (row: number) => tiesByInstant(funnel) || events.ordinal.at(row) === last?.[1]
      if (tied.some((row) => isTied(row) && this.#pointOf(funnel, row) !== null)) return true
      const one = state.byFunnel[f] as StateAtFunnel
      if (!('open' in one) || one.isRemoved) return false
      return rows.some((row) =>
        this.#matches(funnel.exclusionsOfEvent, row).some(
          (exclusion) => funnel.exclusions[exclusion]?.removesProfile,
        ),
      )
    })
  }

  #events(funnel: CompiledFunnel, stage: Attempts | Level, rows: RowList): void {
    const { events } = this.#parts
    let tied: Point[] = []
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number
      const point = this.#pointOf(funnel, row)
      if (point === null) continue
      const [first] = tied
      const isTied =
        first !== undefined &&
        first.at === point.at &&
        (tiesByInstant(funnel) || first.ordinal === events.ordinal.at(row))
      if (!isTied && first !== undefined) {
        stage.take(tied)
        tied = []
      }
      tied.push(point)
    }
    if (tied.length > 0) stage.take(tied)
  }

  /** Returns null if the funnel does not use the event. */
  #pointOf(funnel: CompiledFunnel, row: number): Point | null {
    const { events, sessionOf } = this.#parts
    const code = events.code.at(row)
    const seesAll = funnel.order === 'strict' || funnel.clickhouse?.has('strict_order') === true
    const isNamed =
      funnel.stepsOfEvent[code] !== undefined || funnel.exclusionsOfEvent[code] !== undefined
    if (!isNamed && !seesAll) return null
    const held =
      funnel.heldOperands.length === 0
        ? NONE_HELD
        : funnel.heldOperands.map((operand) => keyText(events.operands[operand]?.[row]))
    const steps = held.includes(null) ? NONE : this.#matches(funnel.stepsOfEvent, row)
    const exclusions = this.#matches(funnel.exclusionsOfEvent, row)
    if (steps.length === 0 && exclusions.length === 0 && !seesAll) return null
    const eventId = events.eventIdOf(row)
    const sessionId = events.texts.at(sessionOf.at(row))
    return {
      key: eventId,
      scope: funnel.isBySession ? sessionId : '',
      held: held.length === 0 ? '' : JSON.stringify(held),
      at: events.occurredAt.at(row),
      ordinal: events.ordinal.at(row),
      cause: EVENT,
      eventId,
      source: events.sourceOf(row),
      sessionId,
      steps,
      exclusions,
    }
  }

  #matches(byCode: CompiledFunnel['stepsOfEvent'], row: number): number[] {
    const list: Match[] | undefined = byCode[this.#parts.events.code.at(row)]
    if (list === undefined) return NONE
    const [only] = list
    if (list.length === 1 && only !== undefined && only.where === null) return only.alone
    this.#row = row
    return list.filter(({ where }) => where === null || where(this)).map(({ index }) => index)
  }

  #transitions(funnel: CompiledFunnel, stage: Attempts, first: number): void {
    const { events, sessionOf, facts } = this.#parts
    const { transitions: t } = facts
    const completed = new Map<Instance, number>()
    for (let fact = first; fact < t.count; fact++) {
      const instance = t.instance[fact] as Instance
      const { machine } = instance
      if (machine.id !== funnel.journey) continue
      const track = t.track.at(fact)
      const at = t.at.at(fact)
      if (instance.isComplete) completed.set(instance, at)
      let steps = funnel.stepsOfState[track]?.[t.to.at(fact)] ?? NONE
      // The first entry of an instance is its first visit to the first step's state.
      const isFirst = funnel.entry !== 'first' || t.visit.at(fact) === 1
      if (!isFirst) steps = steps.filter((step) => step > 0)
      if (steps[0] !== 0 && !stage.mayBeOpen(instance.id)) continue
      if (steps.length === 0 && funnel.order !== 'strict') continue
      const row = t.row.at(fact)
      const eventId = row < 0 ? null : events.eventIdOf(row)
      const cause = t.cause.at(fact)
      stage.take([
        {
          key: `${machine.tracks[track]?.name}/${cause}/${eventId ?? at}`,
          scope: instance.id,
          held: '',
          at,
          ordinal: row < 0 ? 0 : events.ordinal.at(row),
          cause,
          eventId,
          source: row < 0 ? null : events.sourceOf(row),
          sessionId: row < 0 ? null : events.texts.at(sessionOf.at(row)),
          steps,
          exclusions: [],
        },
      ])
    }
    for (const [instance, at] of completed) stage.complete(instance.id, at)
  }

  operand(index: number): Json | undefined {
    return this.#parts.events.operands[index]?.[this.#row]
  }

  field(name: 'source' | 'name'): string | undefined {
    const { events } = this.#parts
    return events.texts.at(events[name].at(this.#row))
  }

  // A condition on a step reads the event alone.
  count = (): number => 0
  visits = (): number => 0
  state = (): number => -1
  dwell = (): number => 0
}

const NONE: number[] = []
const NONE_HELD: (string | null)[] = []

/** Stage of a funnel that has one attempt a profile. */
type Level = WindowFunnel | PosthogFunnel

function levelOf(funnel: CompiledFunnel, state: Levels | Entered): Level {
  return 'entered' in state ? new PosthogFunnel(funnel, state) : new WindowFunnel(funnel, state)
}

/** Whether events of one instant tie whatever their ordinals. */
function tiesByInstant({ clickhouse, isPosthog }: CompiledFunnel): boolean {
  return clickhouse !== null || isPosthog
}

/** Returns whether nothing is open, so that only a first step can change anything. */
function isIdle(one: StateAtFunnel): boolean {
  return 'open' in one ? one.open.length === 0 : one.best === null
}
