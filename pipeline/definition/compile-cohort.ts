/**
 * Compiles cohorts to predicates over the transitions of one profile up to an instant of event
 * time. Pure; used for members and for runs.
 *
 * - `reached`: entered the state, including as initial state, `times` times (default: at least
 *   once).
 * - `cycled`: completed exactly this cycle `times` times.
 * - `in`: is in the state, for the duration `dwell`. As in `states`, a final state is never left,
 *   not even by a restart of the journey.
 * - `inOrder`: entered the states in this order, with others in between or not, in one instance or
 *   several, within `span` from the first to the last.
 * - `within`: counts only transitions less than this before the instant.
 */

import type { Cohort, CohortCondition, InOrder, Inside, Times } from './cohort.ts'
import { compileGuard, type Condition, type Scope } from './guard.ts'
import { parseDuration } from './duration.ts'
import type { Json } from '../base/json.ts'

/** Transition as used by cohorts. */
export type Move = {
  journey: string
  instanceId: string
  track: string
  state: string
  /** Microseconds. */
  at: number
  /** Path of the cycle that the transition closed. */
  cycle: string | null
  /** Name of the event; null for a timeout. */
  name: string | null
  source: string | null
  /** Values at the paths that guards of the cohorts read. */
  operands: readonly (Json | undefined)[]
}

/** Predicate over the transitions up to `at`, in time order. */
type Question = (moves: readonly Move[], at: number) => boolean

export type CompiledCohort = {
  id: string
  version: number
  journeys: string[]
  /** Whether a profile without transitions can be a member. */
  asksEverybody: boolean
  holds: Question
}

export type CompiledCohorts = {
  cohorts: CompiledCohort[]
  /** Paths of `operands`: `properties.PATH` or `context.PATH`. */
  paths: string[]
}

/** Compiles cohorts, which must have passed the static checks. */
export function compileCohorts(cohorts: readonly Cohort[]): CompiledCohorts {
  const paths: string[] = []
  return {
    cohorts: cohorts.map(({ id, version = 1, who }) => {
      const holds = compileCondition(who, paths)
      const journeys = [...new Set(journeysOf(who))]
      return { id, version, journeys, asksEverybody: holds([], 0), holds }
    }),
    paths,
  }
}

function journeysOf(condition: CohortCondition): string[] {
  if ('all' in condition) return condition.all.flatMap(journeysOf)
  if ('any' in condition) return condition.any.flatMap(journeysOf)
  return 'not' in condition ? journeysOf(condition.not) : [condition.journey]
}

function compileCondition(condition: CohortCondition, paths: string[]): Question {
  if ('all' in condition) {
    const parts = condition.all.map((part) => compileCondition(part, paths))
    return (moves, at) => parts.every((part) => part(moves, at))
  }
  if ('any' in condition) {
    const parts = condition.any.map((part) => compileCondition(part, paths))
    return (moves, at) => parts.some((part) => part(moves, at))
  }
  if ('not' in condition) {
    const part = compileCondition(condition.not, paths)
    return (moves, at) => !part(moves, at)
  }
  const select = compileSelection(condition, paths)
  if ('in' in condition) return compileInside(condition, select)
  if ('inOrder' in condition) return compileOrder(condition, select)
  const wanted =
    'reached' in condition
      ? entering(condition.reached)
      : ({ cycle }: Move) => cycle === condition.cycled
  const isOften = compileTimes(condition.times)
  return (moves, at) => isOften(select(moves, at).filter(wanted).length)
}

type Selection = (moves: readonly Move[], at: number) => Move[]

/** Returns the moves of the journey that are recent, after the cycle and pass the guard. */
function compileSelection(
  condition: Exclude<CohortCondition, { all: unknown } | { any: unknown } | { not: unknown }>,
  paths: string[],
): Selection {
  const { journey, afterCycle, where } = condition
  const within = microsOf('within' in condition ? condition.within : undefined)
  const guard = where === undefined ? () => true : moveGuard(compileGuard(where, namesIn(paths)))
  return (moves, at) => {
    const gone = new Set<string>()
    return moves.filter((move) => {
      if (move.journey !== journey) return false
      const isAfter = afterCycle === undefined || gone.has(move.instanceId)
      if (move.cycle === afterCycle) gone.add(move.instanceId)
      return isAfter && move.at > at - within && guard(move)
    })
  }
}

function compileInside({ in: state, dwell }: Inside, select: Selection): Question {
  const isThere = entering(state)
  const least = dwell?.gte === undefined ? 0 : microsOf(dwell.gte)
  const most = microsOf(dwell?.lt)
  return (moves, at) => {
    const last = new Map(moves.map((move) => [`${move.track} ${move.instanceId}`, move]))
    const standing = new Set(last.values())
    return select(moves, at).some(
      (move) => standing.has(move) && isThere(move) && at - move.at >= least && at - move.at < most,
    )
  }
}

/** `begun[k]`: the latest start from which the first k + 1 states were entered. */
function compileOrder({ inOrder, span }: InOrder, select: Selection): Question {
  const steps = inOrder.map(entering)
  const longest = microsOf(span)
  return (moves, at) => {
    const begun = steps.map(() => -Infinity)
    for (const move of select(moves, at)) {
      for (let step = steps.length - 1; step >= 0; step--) {
        if (steps[step]?.(move) !== true) continue
        begun[step] = step === 0 ? move.at : (begun[step - 1] as number)
        const isLast = step === steps.length - 1
        if (isLast && move.at - (begun[step] as number) <= longest && begun[step] !== -Infinity) {
          return true
        }
      }
    }
    return false
  }
}

/** Returns whether a transition enters `state` or `track.state`. */
function entering(place: string): (move: Move) => boolean {
  const [first, state] = place.split('.')
  if (state === undefined) return (move) => move.state === first
  return (move) => move.track === first && move.state === state
}

function compileTimes(times: Times = { gte: 1 }): (count: number) => boolean {
  const { eq, gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = times
  return (count) =>
    (eq === undefined || count === eq) && count > gt && count >= gte && count < lt && count <= lte
}

function microsOf(duration: string | undefined): number {
  return parseDuration(duration) ?? Infinity
}

function namesIn(paths: string[]) {
  return {
    operandOf(path: string): number {
      if (!paths.includes(path)) paths.push(path)
      return paths.indexOf(path)
    },
    countSlotOf: () => 0,
    stateOf: () => ({ track: 0, state: 0 }),
    track: 0,
  }
}

/** Compiles a guard on the event of a transition. */
function moveGuard(condition: Condition): (move: Move) => boolean {
  let move: Move
  const scope: Scope = {
    operand: (index) => move.operands[index],
    field: (name) => move[name] ?? undefined,
    count: () => 0,
    visits: () => 0,
    state: () => 0,
    dwell: () => 0,
  }
  return (asked) => {
    move = asked
    return condition(scope)
  }
}
