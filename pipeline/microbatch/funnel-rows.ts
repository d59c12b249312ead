/** Converts funnel facts to rows of `funnel_attempts` and `funnel_attempt_steps`. */

import { depthOf } from '../stages/attempt-progress.ts'
import type { CompiledFunnel, CompiledStep } from '../definition/compile-funnel.ts'
import type { AttemptFact, FunnelFacts } from '../stages/funnel-facts.ts'
import { encodePart } from '../base/hash.ts'
import { Rows, type RowValues } from './changelog.ts'

export type TabulatedFunnels = {
  attempt: Rows
  step: Rows
  /** Keys of rows that an earlier fold wrote and that are superseded. */
  endedAttempts: string[]
  endedSteps: string[]
}

export function tabulateFunnels(facts: FunnelFacts): TabulatedFunnels {
  const attempt = new Rows('funnel_attempt')
  const step = new Rows('funnel_attempt_step')
  const endedAttempts: string[] = []
  const endedSteps: string[] = []
  const keys = new Map<AttemptFact['attempt'], string>()
  for (const fact of facts.attempts) {
    const key = attemptKey(fact)
    keys.set(fact.attempt, key)
    if (fact.replaces) endedAttempts.push(key)
    attempt.add(key, attemptRow(key, fact))
  }
  for (const fact of facts.steps) {
    const attemptId = keys.get(fact.attempt) ?? attemptKey(fact)
    const key = `${attemptId}/${fact.number}`
    if (fact.replaces) endedSteps.push(key)
    const { funnel, profileId } = fact
    step.add(key, [
      attemptId,
      funnel.id,
      funnel.journey,
      funnel.version,
      profileId,
      fact.number,
      (funnel.steps[fact.step] as CompiledStep).name,
      fact.at,
      fact.eventId,
    ])
  }
  for (const fact of facts.withdrawn) endedAttempts.push(attemptKey(fact))
  for (const fact of facts.withdrawnSteps) endedSteps.push(`${attemptKey(fact)}/${fact.number}`)
  return { attempt, step, endedAttempts, endedSteps }
}

/** Returns the text that is hashed to an attempt's id. */
function attemptKey({ funnel, profileId, attempt }: Omit<AttemptFact, 'replaces'>): string {
  const owner = funnel.journey === null ? encodePart(profileId) : attempt.scope
  return `funnel/${ownName(funnel)}/${funnel.version}/${owner}/${encodePart(attempt.key)}`
}

/** Returns the funnel's own name, without that of its journey. */
function ownName({ id, journey }: CompiledFunnel): string {
  return journey === null ? id : `${journey}.${id}`
}

function attemptRow(key: string, { funnel, profileId, attempt }: AttemptFact): RowValues {
  const because = attempt.ended?.because ?? 'pending'
  const outcome = because === 'converted' || because === 'pending' ? because : 'dropped'
  const convertedAt = because === 'converted' ? (attempt.ended?.at ?? null) : null
  return [
    key,
    funnel.id,
    funnel.journey,
    funnel.version,
    profileId,
    funnel.journey === null ? null : attempt.scope,
    attempt.source,
    attempt.at,
    attempt.eventId,
    attempt.sessionId,
    depthOf(funnel, attempt.reached),
    outcome,
    because,
    attempt.ended?.at ?? null,
    convertedAt,
    convertedAt === null ? null : Math.floor((convertedAt - attempt.at) / 1_000),
    attempt.ordinal,
    attempt.cause,
  ]
}
