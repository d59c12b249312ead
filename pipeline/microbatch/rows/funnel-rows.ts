/** Converts funnel facts to rows of `funnel_attempts` and `funnel_attempt_steps`. */

import { encodePart } from '../../base/hash.ts'
import { HashPrefix } from '../../base/hash-prefix.ts'
import { Hashes } from '../../base/hashes.ts'
import { LatestCode, NO_TEXT, type Texts } from '../../base/texts.ts'
import type { CompiledFunnel } from '../../definition/compile-funnel.ts'
import { depthOf } from '../../stages/attempt-progress.ts'
import {
  DROPPED,
  NEW,
  REPLACED,
  WITHDRAWN,
  type Attempt,
  type AttemptOwner,
  type EndedBecause,
  type FunnelFacts,
} from '../../stages/funnel-facts.ts'
import { Rows, type RowColumns } from './rows.ts'

export type TabulatedFunnels = {
  attempt: Rows<'funnel_attempt'>
  step: Rows<'funnel_attempt_step'>
  /** Keys of rows that an earlier fold wrote and that are superseded. */
  endedAttempts: Hashes
  endedSteps: Hashes
}

/** `texts` are those of the batch. */
export function tabulateFunnels(facts: FunnelFacts, texts: Texts): TabulatedFunnels {
  const { owners, attempts: a, withdrawnSteps: w } = facts
  const attempt = new Rows('funnel_attempt', texts, a.attempt.length)
  const endedAttempts = new Hashes()
  const endedSteps = new Hashes()
  const codes = new FunnelCodes(texts)
  const keys: (HashPrefix | null)[] = []
  const ids = new Hashes()
  for (let fact = 0; fact < a.attempt.length; fact++) {
    const owner = owners[a.owner.at(fact)] as AttemptOwner
    const one = a.attempt[fact] as Attempt
    const change = a.change.at(fact)
    const key = change === DROPPED ? null : codes.keyOf(owner, one)
    keys.push(key)
    if (key === null) ids.pushNull()
    else ids.pushEnd(key, '')
    if (change === REPLACED || change === WITHDRAWN) endedAttempts.pushFrom(ids, fact)
    if (change !== NEW && change !== REPLACED) continue
    attempt.keys.pushFrom(ids, fact)
    pushAttempt(attempt.columns, owner, one, codes)
  }
  const step = stepRows(facts, codes, keys, ids, endedSteps)
  for (let i = 0; i < w.fact.length; i++) {
    endedSteps.pushEnd(keys[w.fact.at(i)] as HashPrefix, stepPart(w.number.at(i)))
  }
  return { attempt, step, endedAttempts, endedSteps }
}

/** `keys` and `ids` are those of the attempts. Adds the keys of superseded rows to `ended`. */
function stepRows(
  { owners, attempts: a, steps: s }: FunnelFacts,
  codes: FunnelCodes,
  keys: readonly (HashPrefix | null)[],
  ids: Hashes,
  ended: Hashes,
): Rows<'funnel_attempt_step'> {
  const rows = new Rows('funnel_attempt_step', codes.texts, s.fact.length)
  const { columns: c } = rows
  for (let i = 0; i < s.fact.length; i++) {
    const fact = s.fact.at(i)
    const key = keys[fact] ?? null
    if (key === null) continue
    const number = s.number.at(i)
    rows.keys.pushEnd(key, stepPart(number))
    if (s.replaces.at(i) === 1) ended.pushFrom(rows.keys, rows.keys.length - 1)
    const { funnel, profileId } = owners[a.owner.at(fact)] as AttemptOwner
    const of = codes.of(funnel)
    c.attempt_id.pushFrom(ids, fact)
    c.funnel.push(of.id)
    c.journey.push(of.journey)
    c.version.push(funnel.version)
    c.profile_id.push(codes.profile(profileId))
    c.step_no.push(number)
    c.step.push(of.steps[s.step.at(i)] as number)
    c.reached_at.push(s.at.at(i))
    c.event_id.push(codes.event(s.eventId[i] ?? null))
  }
  return rows
}

function stepPart(number: number): string {
  return `/${number}`
}

function pushAttempt(
  c: RowColumns<'funnel_attempt'>,
  { funnel, profileId }: AttemptOwner,
  attempt: Attempt,
  codes: FunnelCodes,
): void {
  const of = codes.of(funnel)
  const because = attempt.ended?.because ?? 'pending'
  const convertedAt = because === 'converted' ? (attempt.ended?.at ?? NaN) : NaN
  c.funnel.push(of.id)
  c.journey.push(of.journey)
  c.version.push(funnel.version)
  c.profile_id.push(codes.profile(profileId))
  c.instance_id.push(funnel.journey === null ? NO_TEXT : codes.texts.add(attempt.scope))
  c.source.push(codes.source(attempt.source))
  c.entered_at.push(attempt.at)
  c.event_id.push(codes.event(attempt.eventId))
  c.session_id.push(codes.session(attempt.sessionId))
  c.deepest_step.push(depthOf(funnel, attempt.reached))
  c.outcome.push(codes.endings[because].outcome)
  c.ended_because.push(codes.endings[because].because)
  c.ended_at.push(attempt.ended?.at ?? NaN)
  c.converted_at.push(convertedAt)
  c.time_to_convert_ms.push(Math.floor((convertedAt - attempt.at) / 1_000))
  c.entry_ordinal.push(attempt.ordinal)
  c.entry_cause.push(attempt.cause)
}

type Ending = EndedBecause | 'pending'

type OneFunnel = {
  id: number
  journey: number
  steps: number[]
  /** Keys of attempts begin with it. */
  prefix: HashPrefix
}

/** Codes of texts and keys of attempts. Facts of a funnel, a profile and an event are mostly adjacent. */
class FunnelCodes {
  readonly texts: Texts
  readonly #funnels = new Map<CompiledFunnel, OneFunnel>()
  #lastFunnel: CompiledFunnel | null = null
  #funnel: OneFunnel | null = null
  readonly #profile: LatestCode
  readonly #source: LatestCode
  readonly #event: LatestCode
  readonly #session: LatestCode
  /** Codes of how attempts end. */
  readonly endings: { [because in Ending]: { because: number; outcome: number } }

  constructor(texts: Texts) {
    this.texts = texts
    this.#profile = new LatestCode(texts)
    this.#source = new LatestCode(texts)
    this.#event = new LatestCode(texts, true)
    this.#session = new LatestCode(texts, true)
    const dropped = texts.code('dropped')
    const pending = texts.code('pending')
    const converted = texts.code('converted')
    this.endings = {
      pending: { because: pending, outcome: pending },
      converted: { because: converted, outcome: converted },
      window: { because: texts.code('window'), outcome: dropped },
      excluded: { because: texts.code('excluded'), outcome: dropped },
      order: { because: texts.code('order'), outcome: dropped },
      final: { because: texts.code('final'), outcome: dropped },
    }
  }

  of(funnel: CompiledFunnel): OneFunnel {
    if (this.#lastFunnel === funnel) return this.#funnel as OneFunnel
    let of = this.#funnels.get(funnel)
    if (of === undefined) {
      const { id, journey, version, steps } = funnel
      of = {
        id: this.texts.code(id),
        journey: journey === null ? NO_TEXT : this.texts.code(journey),
        steps: steps.map(({ name }) => this.texts.code(name)),
        prefix: HashPrefix.of(`funnel/${ownName(funnel)}/${version}/`),
      }
      this.#funnels.set(funnel, of)
    }
    this.#lastFunnel = funnel
    this.#funnel = of
    return of
  }

  /** Returns the key of an attempt: its hash is the attempt's id. */
  keyOf({ funnel, profileId }: AttemptOwner, { scope, key }: Attempt): HashPrefix {
    const owner = funnel.journey === null ? encodePart(profileId) : scope
    return this.of(funnel).prefix.plus(`${owner}/${encodePart(key)}`)
  }

  profile(profileId: string): number {
    return this.#profile.of(profileId)
  }

  source(source: string | null): number {
    return source === null ? NO_TEXT : this.#source.of(source)
  }

  event(eventId: string | null): number {
    return eventId === null ? NO_TEXT : this.#event.of(eventId)
  }

  session(sessionId: string | null): number {
    return sessionId === null ? NO_TEXT : this.#session.of(sessionId)
  }
}

/** Returns the funnel's own name, without that of its journey. */
function ownName({ id, journey }: CompiledFunnel): string {
  return journey === null ? id : `${journey}.${id}`
}
