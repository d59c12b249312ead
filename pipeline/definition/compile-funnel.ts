/**
 * Funnel definitions → what the funnel stage runs on. The definitions must have passed the static
 * checks of `check-funnel.ts`.
 */

import {
  clickhouseModes,
  eventOptions,
  journeyOptions,
  type ClickhouseMode,
  type Count,
  type Entry,
  type EventFunnel,
  type EventGuard,
  type EventStep,
  type JourneyFunnel,
  type Order,
  type StateStep,
} from './funnel.ts'
import { compileGuard, type Condition } from './guard.ts'
import { parseDuration } from './duration.ts'
import { eventPath } from './path.ts'
import { tracksOf, type Journey } from './journey.ts'

export type CompiledStep = {
  /** Name of the event or the state. */
  name: string
  /** Microseconds from the previous step that is not optional; `Infinity` and 0 mean no limit. */
  withinUs: number
  minGapUs: number
  isOptional: boolean
}

/** Step or exclusion that an event can match, by 0-based number, with its guard. `alone` is a list
 * with only that number, allocated once. */
export type Match = { index: number; alone: number[]; where: Condition | null }

export type CompiledExclusion = {
  /** Ends attempts that have reached at least `from` and fewer than `to` steps. */
  from: number
  to: number
  removesProfile: boolean
}

export type CompiledFunnel = {
  id: string
  /** Null if its steps are events. */
  journey: string | null
  version: number
  steps: CompiledStep[]
  /** Microseconds from the entry; `Infinity` means no limit. */
  windowUs: number
  order: Order
  entry: Entry
  mustIncrease: boolean
  exclusions: CompiledExclusion[]
  /** Whether an attempt stays within the session it starts in. */
  isBySession: boolean
  /** Operands that must be equal at every step. */
  heldOperands: number[]
  /** By event code; undefined for events that match nothing. */
  stepsOfEvent: (Match[] | undefined)[]
  exclusionsOfEvent: (Match[] | undefined)[]
  /** By track and state: the steps that entering the state matches. */
  stepsOfState: number[][][]
  clickhouse: ReadonlySet<ClickhouseMode> | null
  isPosthog: boolean
  countBy: Count
  /** The options in force, as JSON text. */
  options: string
}

export type FunnelNames = {
  operandOf(path: string): number
  codeOf(eventName: string): number
}

export function compileFunnel(funnel: EventFunnel, names: FunnelNames): CompiledFunnel {
  const steps = funnel.steps.map((step) => (typeof step === 'string' ? { event: step } : step))
  const exclusions = funnel.exclude ?? []
  const modes = clickhouseModes(funnel)
  return {
    id: funnel.id,
    journey: null,
    version: funnel.version ?? 1,
    steps: steps.map((step) => compileStep(step.event, step)),
    windowUs: parseDuration(funnel.within) ?? Infinity,
    order: funnel.order ?? 'sequential',
    entry: funnel.entry ?? 'every',
    mustIncrease: funnel.ties === 'strict-increase',
    exclusions: exclusions.map(({ between, effect }) => ({
      from: between?.[0] ?? 1,
      to: between?.[1] ?? steps.length,
      removesProfile: effect === 'remove-profile',
    })),
    isBySession: funnel.count === 'sessions',
    heldOperands: (funnel.holdConstant ?? []).map((path) => names.operandOf(eventPath(path))),
    stepsOfEvent: matches(steps, names),
    exclusionsOfEvent: matches(exclusions, names),
    stepsOfState: [],
    clickhouse: modes === null ? null : new Set(modes),
    isPosthog: funnel.semantics === 'posthog',
    countBy:
      modes === null && funnel.semantics !== 'posthog' ? (funnel.count ?? 'attempts') : 'profiles',
    options: JSON.stringify(eventOptions(funnel)),
  }
}

/** Returns the steps or exclusions that an event can match, by event code. */
function matches(
  parts: readonly { event: string; where?: EventGuard }[],
  names: FunnelNames,
): (Match[] | undefined)[] {
  const byCode: (Match[] | undefined)[] = []
  parts.forEach(({ event, where }, index) => {
    const list = (byCode[names.codeOf(event)] ??= [])
    list.push({
      index,
      alone: [index],
      where: where === undefined ? null : compileWhere(where, names),
    })
  })
  return byCode
}

/** Compiles a guard on the event only, without counters, states or tracks. */
function compileWhere(where: EventGuard, { operandOf }: FunnelNames): Condition {
  const absent = { track: -1, state: -1 }
  return compileGuard(where, {
    operandOf,
    countSlotOf: () => -1,
    stateOf: () => absent,
    track: -1,
  })
}

/** Compiles the funnels of a journey, in the order of its definition. */
export function compileJourneyFunnels(journey: Journey): CompiledFunnel[] {
  return Object.entries(journey.funnels ?? {}).map(([id, funnel]) =>
    compileJourneyFunnel(id, funnel, journey),
  )
}

function compileJourneyFunnel(id: string, funnel: JourneyFunnel, journey: Journey): CompiledFunnel {
  const steps = funnel.steps.map((step) => (typeof step === 'string' ? { state: step } : step))
  return {
    id,
    journey: journey.id,
    version: journey.version,
    steps: steps.map((step) => compileStep(step.state, step)),
    windowUs: parseDuration(funnel.within) ?? Infinity,
    order: funnel.order ?? 'sequential',
    entry: funnel.entry ?? 'first',
    mustIncrease: false,
    exclusions: [],
    isBySession: false,
    heldOperands: [],
    stepsOfEvent: [],
    exclusionsOfEvent: [],
    stepsOfState: stepsOfState(steps, journey),
    clickhouse: null,
    isPosthog: false,
    countBy: funnel.count ?? 'instances',
    options: JSON.stringify(journeyOptions(funnel)),
  }
}

function compileStep(name: string, step: EventStep | StateStep): CompiledStep {
  return {
    name,
    withinUs: parseDuration(step.within) ?? Infinity,
    minGapUs: parseDuration(step.minGap) ?? 0,
    isOptional: step.optional ?? false,
  }
}

/** Resolves `track.state`, or a state of the first track that has it. */
function stepsOfState(steps: readonly StateStep[], journey: Journey): number[][][] {
  const places = steps.map(({ state }) => {
    const track = tracksOf(journey).find(
      ([name, { states }]) =>
        Object.hasOwn(states, state) ||
        (state.startsWith(`${name}.`) && Object.hasOwn(states, state.slice(name.length + 1))),
    )
    const name = track?.[0] ?? ''
    return Object.hasOwn(track?.[1].states ?? {}, state) ? `${name}.${state}` : state
  })
  return tracksOf(journey).map(([name, { states }]) =>
    Object.keys(states).map((state) =>
      places.flatMap((place, step) => (place === `${name}.${state}` ? [step] : [])),
    ),
  )
}

/** Returns every event name in the steps and exclusions of funnels. */
export function namesOfFunnels(funnels: readonly EventFunnel[]): string[] {
  return funnels.flatMap(({ steps, exclude }) => [
    ...steps.map((step) => (typeof step === 'string' ? step : step.event)),
    ...(exclude ?? []).map(({ event }) => event),
  ])
}
