/**
 * Codec of a profile's funnels: only open attempts, as arrays by position. A profile without open
 * attempts and other marks has no text.
 */

import type { CompiledFunnel } from '../../definition/compile-funnel.ts'
import { newAttempt, type Attempt } from '../../stages/funnel-facts.ts'
import { freshFunnels, type StateAtFunnel, type FunnelState } from '../../stages/funnel-state.ts'
import { encodePart } from '../../base/hash.ts'
import type { Levels } from '../../stages/clickhouse-funnel.ts'
import type { RecentGroup } from '../../stages/recent-steps.ts'
import type { Entered } from '../../stages/posthog-funnel.ts'

type StoredAttempt = [
  /** 0 stands for the event's id. */
  key: string | 0,
  scope: string,
  held: string,
  eventId: string | null,
  at: number,
  ordinal: number,
  cause: number,
  source: string | null,
  sessionId: string | null,
  reached: number[],
  anchorAt: number,
]

type StoredAtFunnel =
  | [open: StoredAttempt[], hasEntered: 0 | 1, isRemoved: 0 | 1, recent?: RecentGroup[]]
  | Levels
  | Entered

export type StoredFunnels = [decidedUpTo: number | null, byFunnel: (StoredAtFunnel | 0)[]]

/** Returns null if there is nothing to keep. */
export function encodeFunnels(
  funnels: readonly CompiledFunnel[],
  state: FunnelState,
  profileId: string,
): StoredFunnels | null {
  const byFunnel: (StoredAtFunnel | 0)[] = []
  let isEmpty = true
  for (let f = 0; f < funnels.length; f++) {
    const stored = storeFunnel(
      funnels[f] as CompiledFunnel,
      state.byFunnel[f] as StateAtFunnel,
      profileId,
    )
    if (stored !== 0) isEmpty = false
    byFunnel.push(stored)
  }
  const decidedUpTo = Number.isFinite(state.decidedUpTo) ? state.decidedUpTo : null
  return decidedUpTo === null && isEmpty ? null : [decidedUpTo, byFunnel]
}

function storeFunnel(
  funnel: CompiledFunnel,
  one: StateAtFunnel,
  profileId: string,
): StoredAtFunnel | 0 {
  if (!('open' in one)) return one.best === null ? 0 : one
  const { open, isRemoved, recent } = one
  const hasEntered = one.hasEntered && funnel.entry === 'first'
  if (open.length === 0 && recent.length === 0 && !hasEntered && !isRemoved) return 0
  const cut = scopePrefix(funnel, profileId).length
  const stored: StoredAttempt[] = []
  for (const attempt of open) stored.push(storeAttempt(attempt, cut))
  const marks = [hasEntered ? 1 : 0, isRemoved ? 1 : 0] as const
  return recent.length === 0 ? [stored, ...marks] : [stored, ...marks, recent]
}

export function decodeFunnels(
  funnels: readonly CompiledFunnel[],
  stored: StoredFunnels | null,
  profileId: string,
): FunnelState {
  const state = freshFunnels(funnels)
  if (stored === null) return state
  const [decidedUpTo, byFunnel] = stored
  for (let f = 0; f < byFunnel.length; f++) {
    const one = byFunnel[f]
    const funnel = funnels[f]
    if (one === undefined || one === 0 || funnel === undefined) continue
    state.byFunnel[f] = readFunnel(funnel, one, profileId)
  }
  state.decidedUpTo = decidedUpTo ?? -Infinity
  return state
}

function readFunnel(funnel: CompiledFunnel, one: StoredAtFunnel, profileId: string): StateAtFunnel {
  if (!Array.isArray(one)) return one
  const [stored, hasEntered, isRemoved, recent = []] = one
  const prefix = scopePrefix(funnel, profileId)
  const open: Attempt[] = []
  for (const attempt of stored) open.push(readAttempt(attempt, prefix))
  return { open, hasEntered: hasEntered === 1, isRemoved: isRemoved === 1, recent }
}

/** Returns the common prefix of scopes. In a journey, a scope is an instance id, which begins with
 * the profile id. */
function scopePrefix({ journey }: CompiledFunnel, profileId: string): string {
  return journey === null ? '' : encodePart(profileId)
}

function storeAttempt(attempt: Attempt, cut: number): StoredAttempt {
  return [
    attempt.key === attempt.eventId ? 0 : attempt.key,
    attempt.scope.slice(cut),
    attempt.held,
    attempt.eventId,
    attempt.at,
    attempt.ordinal,
    attempt.cause,
    attempt.source,
    attempt.sessionId,
    attempt.reached,
    attempt.anchorAt,
  ]
}

function readAttempt(stored: StoredAttempt, prefix: string): Attempt {
  const [key, scope, held, eventId, at, ordinal, cause, source, sessionId, reached, anchorAt] =
    stored
  const entry = { key: key === 0 ? (eventId ?? '') : key, eventId, at, ordinal, source, sessionId }
  const attempt = newAttempt(entry, { scope: prefix + scope, held, cause }, reached)
  attempt.anchorAt = anchorAt
  attempt.isOnRecord = true
  return attempt
}
