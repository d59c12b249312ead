/**
 * Codec of a profile's funnels: only open attempts, as arrays by position. A profile without open
 * attempts and other marks has no text.
 */

import type { CompiledFunnel } from '../../definition/compile-funnel.ts'
import { newAttempt, type Attempt } from '../../stages/funnel-facts.ts'
import {
  freshAt,
  freshFunnels,
  type AttemptsState,
  type FunnelState,
  type StateAtFunnel,
} from '../../stages/funnel-state.ts'
import { encodePart } from '../../base/hash.ts'
import type { JsonWriter } from './json-writer.ts'
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

/** Writes nothing if there is nothing to keep. */
export function writeFunnels(
  out: JsonWriter,
  funnels: readonly CompiledFunnel[],
  state: FunnelState,
  profileId: string,
): void {
  if (!Number.isFinite(state.decidedUpTo) && !hasAny(funnels, state)) return
  out.openArray()
  out.number(state.decidedUpTo)
  out.openArray()
  for (let f = 0; f < funnels.length; f++) {
    const funnel = funnels[f] as CompiledFunnel
    const one = state.byFunnel[f] as StateAtFunnel
    if (!isKept(funnel, one)) out.number(0)
    else if ('open' in one) writeAttempts(out, funnel, one, profileId)
    else out.json(one)
  }
  out.closeArray()
  out.closeArray()
}

function hasAny(funnels: readonly CompiledFunnel[], { byFunnel }: FunnelState): boolean {
  for (let f = 0; f < funnels.length; f++) {
    if (isKept(funnels[f] as CompiledFunnel, byFunnel[f] as StateAtFunnel)) return true
  }
  return false
}

/** Returns whether a profile has a state at a funnel that differs from the first one. */
function isKept(funnel: CompiledFunnel, one: StateAtFunnel): boolean {
  if (!('open' in one)) return one.best !== null
  return (
    one.open.length > 0 || one.recent.length > 0 || one.isRemoved || isMarkedEntered(funnel, one)
  )
}

/** Returns whether it counts that a profile has entered: only the first entry of some funnels does. */
function isMarkedEntered({ entry }: CompiledFunnel, { hasEntered }: AttemptsState): boolean {
  return hasEntered && entry === 'first'
}

function writeAttempts(
  out: JsonWriter,
  funnel: CompiledFunnel,
  one: AttemptsState,
  profileId: string,
): void {
  const cut = scopePrefix(funnel, profileId).length
  out.openArray()
  out.openArray()
  for (const attempt of one.open) writeAttempt(out, attempt, cut)
  out.closeArray()
  out.number(isMarkedEntered(funnel, one) ? 1 : 0)
  out.number(one.isRemoved ? 1 : 0)
  if (one.recent.length > 0) out.json(one.recent)
  out.closeArray()
}

export function decodeFunnels(
  funnels: readonly CompiledFunnel[],
  stored: StoredFunnels | null,
  profileId: string,
): FunnelState {
  if (stored === null) return freshFunnels(funnels)
  const [decidedUpTo, storedByFunnel] = stored
  const byFunnel: StateAtFunnel[] = []
  for (let f = 0; f < funnels.length; f++) {
    const funnel = funnels[f] as CompiledFunnel
    const one = storedByFunnel[f] ?? 0
    byFunnel.push(one === 0 ? freshAt(funnel) : readFunnel(funnel, one, profileId))
  }
  return { byFunnel, decidedUpTo: decidedUpTo ?? -Infinity }
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

function writeAttempt(out: JsonWriter, attempt: Attempt, cut: number): void {
  out.openArray()
  if (attempt.key === attempt.eventId) out.number(0)
  else out.string(attempt.key)
  out.string(attempt.scope.slice(cut))
  out.string(attempt.held)
  out.stringOrNull(attempt.eventId)
  out.number(attempt.at)
  out.number(attempt.ordinal)
  out.number(attempt.cause)
  out.stringOrNull(attempt.source)
  out.stringOrNull(attempt.sessionId)
  out.numbers(attempt.reached)
  out.number(attempt.anchorAt)
  out.closeArray()
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
