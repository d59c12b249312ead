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

import { Attempts } from './funnel-attempts.ts'
import { Tie, type Point } from './funnel-point.ts'
import type { CompiledFunnel, Match } from '../definition/compile-funnel.ts'
import type { Events, RowList } from './events.ts'
import type { Ints } from './growable-array.ts'
import { EVENT, type Facts } from './journey-facts.ts'
import { keyText, type Instance } from './instance.ts'
import type { FunnelFacts } from './funnel-facts.ts'
import type { Scope } from '../definition/guard.ts'
import type { Json } from '../base/json.ts'
import type { Place } from '../base/event-order.ts'
import {
  hasLevel,
  isIdle,
  levelOf,
  type FunnelState,
  type Level,
  type StateAtFunnel,
} from './funnel-state.ts'

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
  /** By funnel; null for one of other semantics. */
  readonly #attempts: (Attempts | null)[]
  readonly #tie = new Tie()
  #row = -1

  constructor(parts: FunnelParts) {
    this.#parts = parts
    this.#attempts = parts.funnels.map((funnel) =>
      hasLevel(funnel) ? null : new Attempts(funnel, parts.found),
    )
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
      const attempts = this.#attempts[f] as Attempts
      let decided = -Infinity
      if (!('open' in one)) {
        const level = levelOf(funnel, one)
        this.#events(funnel, level, rows)
        decided = level.finish(profileId, watermark, found)
      } else {
        attempts.begin(profileId, one)
        if (funnel.journey === null) this.#events(funnel, attempts, rows)
        else this.#transitions(funnel, attempts, firstTransition)
        decided = attempts.finish(watermark)
      }
      if (decided + 1 > state.decidedUpTo) state.decidedUpTo = decided + 1
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
  mustFoldAgain(state: FunnelState, last: Place | null, rows: RowList): boolean {
    const { funnels } = this.#parts
    for (let f = 0; f < funnels.length; f++) {
      const funnel = funnels[f] as CompiledFunnel
      if (funnel.journey !== null) continue
      if (last !== null && this.#hasTie(funnel, last, rows)) return true
      const one = state.byFunnel[f] as StateAtFunnel
      if (!('open' in one) || one.isRemoved) continue
      if (this.#removesProfile(funnel, rows)) return true
    }
    return false
  }

  /** Returns whether the funnel uses a row that ties with a place. */
  #hasTie(funnel: CompiledFunnel, last: Place, rows: RowList): boolean {
    const { events } = this.#parts
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number
      if (events.occurredAt.at(row) !== last[0]) continue
      if (!hasLevel(funnel) && events.ordinal.at(row) !== last[1]) continue
      if (this.#read(funnel, row, this.#tie.next())) return true
    }
    return false
  }

  #removesProfile({ exclusions, exclusionsOfEvent }: CompiledFunnel, rows: RowList): boolean {
    if (!exclusions.some((exclusion) => exclusion.removesProfile)) return false
    for (let i = 0; i < rows.length; i++) {
      for (const exclusion of this.#matches(exclusionsOfEvent, rows[i] as number)) {
        if (exclusions[exclusion]?.removesProfile === true) return true
      }
    }
    return false
  }

  #events(funnel: CompiledFunnel, stage: Attempts | Level, rows: RowList): void {
    const tie = this.#tie
    for (let i = 0; i < rows.length; i++) {
      const point = tie.next()
      if (!this.#read(funnel, rows[i] as number, point)) continue
      const isTied =
        tie.count > 0 &&
        tie.first.at === point.at &&
        (hasLevel(funnel) || tie.first.ordinal === point.ordinal)
      if (!isTied && tie.count > 0) stage.take(tie.take())
      tie.add()
    }
    if (tie.count > 0) stage.take(tie.take())
  }

  /** Reads an event into a point. Returns false if the funnel does not use it. */
  #read(funnel: CompiledFunnel, row: number, point: Point): boolean {
    const { events, sessionOf } = this.#parts
    const code = events.code.at(row)
    const seesAll = funnel.order === 'strict' || funnel.clickhouse?.has('strict_order') === true
    const isNamed =
      funnel.stepsOfEvent[code] !== undefined || funnel.exclusionsOfEvent[code] !== undefined
    if (!isNamed && !seesAll) return false
    const held =
      funnel.heldOperands.length === 0
        ? NONE_HELD
        : funnel.heldOperands.map((operand) => keyText(events.operands[operand]?.[row]))
    const steps = held.includes(null) ? NONE : this.#matches(funnel.stepsOfEvent, row)
    const exclusions = this.#matches(funnel.exclusionsOfEvent, row)
    if (steps.length === 0 && exclusions.length === 0 && !seesAll) return false
    const eventId = events.eventIdOf(row)
    const sessionId = events.texts.at(sessionOf.at(row))
    point.key = eventId
    point.scope = funnel.isBySession ? sessionId : ''
    point.held = held.length === 0 ? '' : JSON.stringify(held)
    point.at = events.occurredAt.at(row)
    point.ordinal = events.ordinal.at(row)
    point.cause = EVENT
    point.eventId = eventId
    point.source = events.sourceOf(row)
    point.sessionId = sessionId
    point.steps = steps
    point.exclusions = exclusions
    return true
  }

  #matches(byCode: CompiledFunnel['stepsOfEvent'], row: number): readonly number[] {
    const list: Match[] | undefined = byCode[this.#parts.events.code.at(row)]
    if (list === undefined) return NONE
    this.#row = row
    const [only] = list
    if (list.length === 1 && only !== undefined) {
      return only.where === null || only.where(this) ? only.alone : NONE
    }
    return list.filter(({ where }) => where === null || where(this)).map(({ index }) => index)
  }

  #transitions(funnel: CompiledFunnel, stage: Attempts, first: number): void {
    const { transitions: t } = this.#parts.facts
    let completed: Map<Instance, number> | null = null
    for (let fact = first; fact < t.count; fact++) {
      const instance = t.instance[fact] as Instance
      const { machine } = instance
      if (machine.id !== funnel.journey) continue
      const track = t.track.at(fact)
      if (instance.isComplete) completed = (completed ?? new Map()).set(instance, t.at.at(fact))
      let steps: readonly number[] = funnel.stepsOfState[track]?.[t.to.at(fact)] ?? NONE
      // The first entry of an instance is its first visit to the first step's state.
      const isFirst = funnel.entry !== 'first' || t.visit.at(fact) === 1
      if (!isFirst) steps = steps.filter((step) => step > 0)
      if (steps[0] !== 0 && !stage.mayBeOpen(instance.id)) continue
      if (steps.length === 0 && funnel.order !== 'strict') continue
      this.#readTransition(funnel, fact, steps, this.#tie.next())
      this.#tie.add()
      stage.take(this.#tie.take())
    }
    if (completed === null) return
    for (const [instance, at] of completed) stage.complete(instance.id, at)
  }

  #readTransition(
    funnel: CompiledFunnel,
    fact: number,
    steps: readonly number[],
    point: Point,
  ): void {
    const { events, sessionOf, facts } = this.#parts
    const { transitions: t } = facts
    const { id, machine } = t.instance[fact] as Instance
    const row = t.row.at(fact)
    const at = t.at.at(fact)
    const cause = t.cause.at(fact)
    const eventId = row < 0 ? null : events.eventIdOf(row)
    // Only entries are known by their keys, and the events that an attempt in any order takes along.
    const isKeyed = steps[0] === 0 || funnel.order === 'any'
    const track = machine.tracks[t.track.at(fact)]?.name
    point.key = isKeyed ? `${track}/${cause}/${eventId ?? at}` : ''
    point.scope = id
    point.held = ''
    point.at = at
    point.ordinal = row < 0 ? 0 : events.ordinal.at(row)
    point.cause = cause
    point.eventId = eventId
    point.source = row < 0 ? null : events.sourceOf(row)
    point.sessionId = row < 0 ? null : events.texts.at(sessionOf.at(row))
    point.steps = steps
    point.exclusions = NONE
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

const NONE: readonly number[] = []
const NONE_HELD: (string | null)[] = []
