/**
 * Shape of a funnel's definition: plain data, like a journey. Steps of a funnel of its own
 * (`definitions/funnels/*.ts`) are events; steps of a journey's `funnels` are its states.
 *
 * Options are listed with their default first. `definitions/README.md` documents them.
 */

import type { Duration } from './duration.ts'
import type { Json } from '../base/json.ts'
import type { Operators } from './guard-syntax.ts'

/** Guards that depend on the event alone. */
export type EventGuard =
  | ({ property: string } & Operators)
  | ({ context: string } & Operators)
  | ({ field: 'source' | 'name' } & Operators)
  | { all: EventGuard[] }
  | { any: EventGuard[] }
  | { not: EventGuard }

export const ORDERS = ['sequential', 'strict', 'any'] as const
export const ENTRIES = ['every', 'first', 'latest'] as const
export const COUNTS = ['attempts', 'profiles', 'sessions', 'instances'] as const
export const TIES = ['step-order', 'strict-increase'] as const
export const EXCLUSION_EFFECTS = ['end-attempt', 'remove-profile'] as const
export const CLICKHOUSE_MODES = [
  'strict_order',
  'strict_deduplication',
  'strict_increase',
  'strict_once',
] as const

export type Order = (typeof ORDERS)[number]
export type Entry = (typeof ENTRIES)[number]
export type Count = (typeof COUNTS)[number]
export type ClickhouseMode = (typeof CLICKHOUSE_MODES)[number]

/** Limits of a step, measured from the step before it that is not optional. */
type StepLimits = { within?: Duration; minGap?: Duration; optional?: boolean }

export type EventStep = StepLimits & { event: string; where?: EventGuard }
export type StateStep = StepLimits & { state: string }

/** An event that ends an attempt which has reached step `between[0]` and not `between[1]`. */
export type Exclusion = {
  event: string
  where?: EventGuard
  /** 1-based; absent: between the first and the last. */
  between?: [number, number]
  effect?: (typeof EXCLUSION_EFFECTS)[number]
}

export type EventFunnel = {
  id: string
  /** Default 1. */
  version?: number
  steps: (string | EventStep)[]
  /** From the entry, inclusive. */
  within: Duration
  order?: Order
  entry?: Entry
  count?: Exclude<Count, 'instances'>
  exclude?: Exclusion[]
  /** Paths whose value must be the same at every step, such as `properties.product_id`. */
  holdConstant?: string[]
  ties?: (typeof TIES)[number]
  semantics?: 'native' | 'clickhouse' | { clickhouse: ClickhouseMode[] }
}

/** Under a journey's `funnels`. Entry is `first` and the count `instances` by default. */
export type JourneyFunnel = {
  steps: (string | StateStep)[]
  /** Absent: an attempt lasts as long as its instance. */
  within?: Duration
  order?: Exclude<Order, 'any'>
  entry?: Entry
  count?: Exclude<Count, 'sessions'>
}

/** Maximum number of steps of a funnel. */
export const STEPS_MAX = 64

/** Returns the modes of `semantics: 'clickhouse'`, or null for native semantics. */
export function clickhouseModes({ semantics }: EventFunnel): ClickhouseMode[] | null {
  if (semantics === undefined || semantics === 'native') return null
  return semantics === 'clickhouse' ? [] : semantics.clickhouse
}

/** Returns the options of an event funnel with every default filled in. */
export function eventOptions(funnel: EventFunnel): { [option: string]: Json } {
  const modes = clickhouseModes(funnel)
  if (modes !== null) {
    const semantics = modes.length === 0 ? 'clickhouse' : `clickhouse: ${modes.join(', ')}`
    return { within: funnel.within, count: 'profiles', semantics }
  }
  const exclude = (funnel.exclude ?? []).map((exclusion): Json => ({
    ...(exclusion as { event: string }),
    between: exclusion.between ?? [1, funnel.steps.length],
    effect: exclusion.effect ?? 'end-attempt',
  }))
  return {
    within: funnel.within,
    order: funnel.order ?? 'sequential',
    entry: funnel.entry ?? 'every',
    count: funnel.count ?? 'attempts',
    ties: funnel.ties ?? 'step-order',
    ...(exclude.length === 0 ? {} : { exclude }),
    ...(funnel.holdConstant === undefined ? {} : { holdConstant: funnel.holdConstant }),
  }
}

/** Returns the options of a journey's funnel with every default filled in. */
export function journeyOptions(funnel: JourneyFunnel): { [option: string]: Json } {
  return {
    within: funnel.within ?? null,
    order: funnel.order ?? 'sequential',
    entry: funnel.entry ?? 'first',
    count: funnel.count ?? 'instances',
  }
}
