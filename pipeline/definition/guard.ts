/**
 * Compiles guards to closures over a scope that the fold fills in. Pure and synchronous.
 *
 * Types are never converted: comparing different types or an absent value is false, also for `ne`.
 * Only `exists: false` holds for an absent value. JSON null counts as absent, also in a definition;
 * inside arrays and objects it is a value.
 */

import { isEqual, type Json } from '../base/json.ts'
import { parseDuration } from './duration.ts'
import type { Guard, Operators } from './guard-syntax.ts'
import { compareText } from '../base/event-order.ts'

/** Values that guards read. At a timeout, property, context and field are absent. */
export type Scope = {
  /** Returns the value of an operand of the event (see `compile.ts`). */
  operand(index: number): Json | undefined
  /** Returns `source` or `name` of the event. */
  field(name: 'source' | 'name'): string | undefined
  /** Returns the number of events of a counted name in this instance, including the current one. */
  count(slot: number): number
  /** Returns the number of entries into a state before this event. */
  visits(track: number, state: number): number
  /** Returns the state of a track before this event. */
  state(track: number): number
  /** Returns the microseconds since the guard's track entered its state. */
  dwell(track: number): number
}

/** Resolves names in a guard to numbers; implemented by `compile.ts`. */
export type Names = {
  operandOf(path: string): number
  countSlotOf(eventName: string): number
  /** Resolves `state` of the guard's track, or `track.state`. */
  stateOf(reference: string): { track: number; state: number }
  /** Track of the guard. */
  track: number
}

export type Condition = (scope: Scope) => boolean

/** Compiles a guard to a function. The guard must have passed the static checks. */
export function compileGuard(guard: Guard, names: Names): Condition {
  if ('all' in guard) return every(guard.all.map((part) => compileGuard(part, names)))
  if ('any' in guard) {
    const parts = guard.any.map((part) => compileGuard(part, names))
    return (scope) => parts.some((part) => part(scope))
  }
  if ('not' in guard) {
    const part = compileGuard(guard.not, names)
    return (scope) => !part(scope)
  }
  if ('dwell' in guard) return compileDwell(guard.dwell, names.track)
  if ('property' in guard) return onOperand(names.operandOf(`properties.${guard.property}`), guard)
  if ('context' in guard) return onOperand(names.operandOf(`context.${guard.context}`), guard)
  if ('field' in guard) {
    const test = compileOperators(guard)
    return (scope) => test(scope.field(guard.field))
  }
  if ('count' in guard) {
    const slot = names.countSlotOf(guard.count)
    const test = compileOperators(guard)
    return (scope) => test(scope.count(slot))
  }
  if ('visits' in guard) {
    const { track, state } = names.stateOf(guard.visits)
    const test = compileOperators(guard)
    return (scope) => test(scope.visits(track, state))
  }
  const { track, state } = names.stateOf(guard.in)
  return (scope) => scope.state(track) === state
}

function onOperand(index: number, operators: Operators): Condition {
  const test = compileOperators(operators)
  return (scope) => test(scope.operand(index))
}

function compileDwell(bounds: { gte?: string; lt?: string }, track: number): Condition {
  const least = bounds.gte === undefined ? 0 : (parseDuration(bounds.gte) ?? 0)
  const most = bounds.lt === undefined ? Infinity : (parseDuration(bounds.lt) ?? 0)
  return (scope) => {
    const dwell = scope.dwell(track)
    return dwell >= least && dwell < most
  }
}

function every(parts: Condition[]): Condition {
  const only = parts.length === 1 ? parts[0] : undefined
  return only ?? ((scope) => parts.every((part) => part(scope)))
}

type Test = (value: Json | undefined) => boolean

const TESTS: { [O in keyof Operators]-?: (operand: Json) => Test } = {
  eq: (operand) => (value) => value !== undefined && isEqual(value, operand),
  ne: (operand) => (value) => isSameType(value, operand) && !isEqual(value, operand),
  gt: (operand) => (value) => ordering(value, operand) > 0,
  gte: (operand) => (value) => ordering(value, operand) >= 0,
  lt: (operand) => (value) => ordering(value, operand) < 0,
  lte: (operand) => (value) => ordering(value, operand) <= 0,
  in: (operand) => (value) => value !== undefined && includes(operand, value),
  exists: (operand) => (value) => (value !== undefined) === operand,
  startsWith: (operand) => (value) =>
    typeof value === 'string' && typeof operand === 'string' && value.startsWith(operand),
  contains: (operand) => (value) =>
    typeof value === 'string'
      ? typeof operand === 'string' && value.includes(operand)
      : includes(value, operand),
}

export const OPERATORS = Object.keys(TESTS) as (keyof Operators)[]

function compileOperators(guard: Operators): Test {
  const tests = OPERATORS.filter((name) => guard[name] !== undefined).map((name): Test => {
    const operand: Json | undefined = guard[name]
    return operand === undefined || operand === null ? () => false : TESTS[name](operand)
  })
  const only = tests.length === 1 ? tests[0] : undefined
  return only ?? ((value) => tests.every((test) => test(value)))
}

function includes(list: Json | undefined, value: Json): boolean {
  return Array.isArray(list) && list.some((item) => isEqual(item, value))
}

/** Compares two numbers or two strings. Returns NaN for anything else, so no comparison holds. */
function ordering(value: Json | undefined, operand: Json): number {
  if (typeof value === 'number' && typeof operand === 'number') {
    return value < operand ? -1 : value > operand ? 1 : 0
  }
  if (typeof value === 'string' && typeof operand === 'string') return compareText(value, operand)
  return NaN
}

function isSameType(value: Json | undefined, operand: Json): value is Json {
  return value !== undefined && typeName(value) === typeName(operand)
}

function typeName(value: Json): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}
