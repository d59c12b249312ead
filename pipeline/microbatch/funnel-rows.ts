/** Converts funnel facts to rows of `funnel_attempts` and `funnel_attempt_steps`. */

import { depthOf } from '../stages/attempt-progress.ts'
import type { CompiledFunnel, CompiledStep } from '../definition/compile-funnel.ts'
import {
  DROPPED,
  NEW,
  REPLACED,
  WITHDRAWN,
  type Attempt,
  type AttemptOwner,
  type FunnelFacts,
} from '../stages/funnel-facts.ts'
import { encodePart } from '../base/hash.ts'
import { Rows, type RowValues } from './changelog.ts'

export type TabulatedFunnels = {
  attempt: Rows
  step: Rows
  /** Keys of rows that an earlier fold wrote and that are superseded. */
  endedAttempts: string[]
  endedSteps: string[]
}

export function tabulateFunnels({
  owners,
  attempts: a,
  steps: s,
  withdrawnSteps: w,
}: FunnelFacts): TabulatedFunnels {
  const attempt = new Rows('funnel_attempt')
  const step = new Rows('funnel_attempt_step')
  const endedAttempts: string[] = []
  const endedSteps: string[] = []
  const keys: string[] = []
  for (let fact = 0; fact < a.attempt.length; fact++) {
    const owner = owners[a.owner.at(fact)] as AttemptOwner
    const one = a.attempt[fact] as Attempt
    const change = a.change.at(fact)
    const key = change === DROPPED ? '' : attemptKey(owner, one)
    keys.push(key)
    if (change === REPLACED || change === WITHDRAWN) endedAttempts.push(key)
    if (change === NEW || change === REPLACED) attempt.add(key, attemptRow(key, owner, one))
  }
  for (let i = 0; i < s.fact.length; i++) {
    const fact = s.fact.at(i)
    if (a.change.at(fact) === DROPPED) continue
    const attemptId = keys[fact] as string
    const number = s.number.at(i)
    const key = `${attemptId}/${number}`
    if (s.replaces.at(i) === 1) endedSteps.push(key)
    const { funnel, profileId } = owners[a.owner.at(fact)] as AttemptOwner
    step.add(key, [
      attemptId,
      funnel.id,
      funnel.journey,
      funnel.version,
      profileId,
      number,
      (funnel.steps[s.step.at(i)] as CompiledStep).name,
      s.at.at(i),
      s.eventId[i] ?? null,
    ])
  }
  for (let i = 0; i < w.fact.length; i++) endedSteps.push(`${keys[w.fact.at(i)]}/${w.number.at(i)}`)
  return { attempt, step, endedAttempts, endedSteps }
}

/** Returns the text that is hashed to an attempt's id. */
function attemptKey({ funnel, profileId }: AttemptOwner, attempt: Attempt): string {
  const owner = funnel.journey === null ? encodePart(profileId) : attempt.scope
  return `funnel/${ownName(funnel)}/${funnel.version}/${owner}/${encodePart(attempt.key)}`
}

/** Returns the funnel's own name, without that of its journey. */
function ownName({ id, journey }: CompiledFunnel): string {
  return journey === null ? id : `${journey}.${id}`
}

function attemptRow(key: string, { funnel, profileId }: AttemptOwner, attempt: Attempt): RowValues {
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
