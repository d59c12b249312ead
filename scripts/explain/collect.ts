/** Converts revisions to the document of the explanation page. */

import { isOfTime, type Outcome } from '../../pipeline/query/explain-outcome.ts'
import type {
  Revision,
  Revisions,
  ProfileRevision,
} from '../../pipeline/query/explain-revisions.ts'
import {
  HAPPENINGS_MAX,
  type RevisionPart,
  type Happening,
  type StoryDocument,
} from './document.ts'

/** Numbers values; values that are equal as JSON share a number. */
class Pool<Value> {
  readonly values: Value[] = []
  readonly #numbers = new Map<string, number>()

  numberOf(value: Value): number {
    const key = JSON.stringify(value)
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    this.#numbers.set(key, this.values.length)
    return this.values.push(value) - 1
  }
}

/** Returns the document. The page opens at the revision of `asOf`; null means the last one. */
export function documentOf(
  history: Revisions,
  about: Pick<StoryDocument, 'warehouse' | 'profileId' | 'journey'> & { asOf: number | null },
): StoryDocument {
  const { asOf, ...rest } = about
  const happenings = new Pool<Happening>()
  const pools = { sessions: new Pool(), identifiers: new Pool(), pending: new Pool() } as {
    [List in 'sessions' | 'identifiers' | 'pending']: Pool<StoryDocument[List][number]>
  }
  const revisions: RevisionPart[] = []
  for (const revision of history.revisions) {
    const { profiles } = revision
    const part: RevisionPart = {
      ...revision,
      profiles: profiles.map(({ profileId, isWhole }) => ({ profileId, isWhole })),
      happenings: happeningsOf(revision).map((one) => happenings.numberOf(one)),
      sessions: profiles.flatMap((one) => one.sessions.map((s) => pools.sessions.numberOf(s))),
      identifiers: profiles.flatMap((one) =>
        one.identifiers.map((identifier) => pools.identifiers.numberOf(identifier)),
      ),
      pending: profiles.flatMap((one) => one.pending.map((p) => pools.pending.numberOf(p))),
    }
    const before = revisions.at(-1)
    if (before === undefined || !isAsBefore(part, before)) revisions.push(part)
    else before.watermark = part.watermark
  }
  const kept = latest(happenings.values)
  const watermark = revisions.at(-1)?.watermark ?? null
  const instants = kept.map((n) => happenings.values[n]?.at as number)
  const moments = new Set(watermark === null ? instants : [...instants, watermark])
  const places = new Map(kept.map((n, place) => [n, place]))
  return {
    ...rest,
    moments: [...moments].sort((a, b) => a - b),
    happenings: kept.map((n) => happenings.values[n] as Happening),
    sessions: pools.sessions.values,
    identifiers: pools.identifiers.values,
    pending: pools.pending.values,
    revisions: revisions.map((revision) => ({
      ...revision,
      happenings: revision.happenings.flatMap((n) => places.get(n) ?? []),
    })),
    opening: Math.max(
      0,
      revisions.findLastIndex(({ at }) => asOf === null || at <= asOf),
    ),
    corrections: history.corrections,
    revisionsLeftOut: history.leftOut,
    happeningsLeftOut: happenings.values.length - kept.length,
  }
}

function isAsBefore(revision: RevisionPart, before: RevisionPart): boolean {
  const said = ({ profiles, happenings, sessions, identifiers, pending }: RevisionPart) =>
    JSON.stringify([profiles, happenings, sessions, identifiers, pending])
  return said(revision) === said(before)
}

/** Returns events and timeouts by time; a timeout precedes the event at which it was found due. */
function happeningsOf({ profiles }: Revision): Happening[] {
  const all = profiles.flatMap(ofProfile)
  return profiles.length < 2 ? all : all.sort((a, b) => a.at - b.at)
}

function ofProfile({ profileId, steps, since }: ProfileRevision): Happening[] {
  const timeout = (outcome: Outcome): Happening => {
    return { profileId, at: outcome.at, event: null, outcomes: [outcome] }
  }
  return [
    ...steps.flatMap(({ eventId, name, source, sessionId, occurredAt, outcomes }) => [
      ...outcomes.filter(isOfTime).map(timeout),
      {
        profileId,
        at: occurredAt,
        event: { id: eventId, name, source, sessionId },
        outcomes: outcomes.filter((outcome) => !isOfTime(outcome)),
      },
    ]),
    ...since.map(timeout),
  ]
}

/** Returns the numbers of the latest happenings and of all that changed a state. */
function latest(happenings: readonly Happening[]): number[] {
  const numbers = happenings.map((_, n) => n)
  if (happenings.length <= HAPPENINGS_MAX) return numbers
  const times = happenings.map(({ at }) => at).sort((a, b) => b - a)
  const from = times[HAPPENINGS_MAX - 1] as number
  return numbers.filter((n) => {
    const { at, outcomes } = happenings[n] as Happening
    return at >= from || outcomes.some(({ to }) => to !== null)
  })
}
