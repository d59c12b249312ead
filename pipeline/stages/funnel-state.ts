/** State of a profile at its funnels between runs. */

import { mapped } from '../base/mapped.ts'
import type { CompiledFunnel } from '../definition/compile-funnel.ts'
import { deadlineOf } from './attempt-progress.ts'
import { freshLevels, WindowFunnel, type Levels } from './clickhouse-funnel.ts'
import type { Attempt } from './funnel-facts.ts'
import { freshEntered, PosthogFunnel, type Entered } from './posthog-funnel.ts'
import type { RecentGroup } from './recent-steps.ts'

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

/** State of a profile at a funnel, by its semantics. */
export type StateAtFunnel = AttemptsState | Levels | Entered

/** State of a profile between runs. `byFunnel[f]` belongs to `funnels[f]`. */
export type FunnelState = {
  byFunnel: StateAtFunnel[]
  /** Windows up to this instant are decided, so no earlier event can be added. */
  decidedUpTo: number
}

export function freshFunnels(funnels: readonly CompiledFunnel[]): FunnelState {
  return { byFunnel: mapped(funnels, freshAt), decidedUpTo: -Infinity }
}

/** Returns the state of a profile at a funnel before its first event. */
export function freshAt(funnel: CompiledFunnel): StateAtFunnel {
  if (funnel.isPosthog) return freshEntered(funnel)
  return funnel.clickhouse === null ? freshAttempts() : freshLevels(funnel)
}

/** Returns the earliest instant at which a window closes without an event; `Infinity` if none. */
export function funnelsDueOf(funnels: readonly CompiledFunnel[], state: FunnelState): number {
  let due = Infinity
  for (let f = 0; f < funnels.length; f++) {
    const funnel = funnels[f] as CompiledFunnel
    const one = state.byFunnel[f] as StateAtFunnel
    let deadline = Infinity
    if ('open' in one) {
      for (const attempt of one.open) deadline = Math.min(deadline, deadlineOf(funnel, attempt))
    } else if (one.told?.ended === null) deadline = levelOf(funnel, one).deadline()
    // A window includes its last instant, so it is over one microsecond later.
    if (deadline + 1 < due) due = deadline + 1
  }
  return due
}

/** Stage of a funnel of other semantics: it has one attempt a profile, and events of one instant tie
 * whatever their ordinals. */
export type Level = WindowFunnel | PosthogFunnel

/** Returns whether the semantics of a funnel are not ours. */
export function hasLevel({ clickhouse, isPosthog }: CompiledFunnel): boolean {
  return clickhouse !== null || isPosthog
}

/** Returns the stage that continues a state and changes it. */
export function levelOf(funnel: CompiledFunnel, state: Levels | Entered): Level {
  return 'entered' in state ? new PosthogFunnel(funnel, state) : new WindowFunnel(funnel, state)
}

/** Returns whether nothing is open, so that only a first step can change anything. */
export function isIdle(one: StateAtFunnel): boolean {
  return 'open' in one ? one.open.length === 0 : one.best === null
}
