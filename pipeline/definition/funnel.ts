/**
 * Shape of a funnel definition: plain data, like a journey. The steps of a funnel in
 * `definitions/funnels/*.ts` are events; the steps of a journey's `funnels` are its states.
 *
 * Options are listed with their default first. `definitions/README.md` documents them.
 */

import type { Duration } from './duration.ts'
import type { Json } from '../base/json.ts'
import type { Operators } from './guard-syntax.ts'

/** Guards that read the event only. */
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
  'allow_reentry',
] as const

export type Order = (typeof ORDERS)[number]
export type Entry = (typeof ENTRIES)[number]
export type Count = (typeof COUNTS)[number]
export type ClickhouseMode = (typeof CLICKHOUSE_MODES)[number]

/** Limits of a step, measured from the previous step that is not optional. */
type StepLimits = { within?: Duration; minGap?: Duration; optional?: boolean }

export type EventStep = StepLimits & { event: string; where?: EventGuard }
export type StateStep = StepLimits & { state: string }

/** Event that ends an attempt which has reached step `between[0]` but not `between[1]`. */
export type Exclusion = {
  event: string
  where?: EventGuard
  /** 1-based; default: from the first to the last step. */
  between?: [number, number]
  effect?: (typeof EXCLUSION_EFFECTS)[number]
}

export type EventFunnel = {
  id: string
  /** Default 1. */
  version?: number
  steps: (string | EventStep)[]
  /** Measured from the entry, inclusive. */
  within: Duration
  order?: Order
  entry?: Entry
  count?: Exclude<Count, 'instances'>
  exclude?: Exclusion[]
  /** Paths whose values must be equal at every step, such as `properties.product_id`. */
  holdConstant?: string[]
  ties?: (typeof TIES)[number]
  semantics?: 'native' | 'posthog' | 'clickhouse' | { clickhouse: ClickhouseMode[] }
}

/** Funnel of a journey. The defaults are entry `first` and count `instances`. */
export type JourneyFunnel = {
  steps: (string | StateStep)[]
  /** Default: an attempt lasts as long as its instance. */
  within?: Duration
  order?: Exclude<Order, 'any'>
  entry?: Entry
  count?: Exclude<Count, 'sessions'>
}

/** Maximum number of steps of a funnel. */
export const STEPS_MAX = 64

/** Returns the modes of `semantics: 'clickhouse'`, or null for native semantics. */
export function clickhouseModes({ semantics }: EventFunnel): ClickhouseMode[] | null {
  if (semantics === undefined || semantics === 'native' || semantics === 'posthog') return null
  return semantics === 'clickhouse' ? [] : semantics.clickhouse
}

/** Returns the options of an event funnel with every default filled in. */
export function eventOptions(funnel: EventFunnel): { [option: string]: Json } {
  const modes = clickhouseModes(funnel)
  if (modes !== null) {
    const semantics = modes.length === 0 ? 'clickhouse' : `clickhouse: ${modes.join(', ')}`
    return { within: funnel.within, count: 'profiles', semantics }
  }
  const exclude = (funnel.exclude ?? []).map((exclusion) => ({
    ...(exclusion as { event: string }),
    between: exclusion.between ?? [1, funnel.steps.length],
    effect: exclusion.effect ?? 'end-attempt',
  }))
  if (funnel.semantics === 'posthog') {
    const excluded = exclude.map(({ effect: _effect, ...rest }) => rest)
    return {
      within: funnel.within,
      order: funnel.order ?? 'sequential',
      count: 'profiles',
      semantics: 'posthog',
      ...(excluded.length === 0 ? {} : { exclude: excluded }),
    }
  }
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
