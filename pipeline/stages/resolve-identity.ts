/**
 * Resolves links to persons, and sessions to profiles. Pure and synchronous.
 *
 * `resolvePersons` is keyed by component: a set of identifiers closed under every link between
 * them, including refused ones. `assignSessions` is keyed by stream. Neither depends on anything
 * outside its key, so a batch recomputes only what it touches.
 */

import { namespaceOf } from '../base/identifier.ts'
import { NO_TEXT } from '../base/texts.ts'
import { comparePlaces, compareText, type Place } from '../base/event-order.ts'

/** Rules of `definitions/identity.ts` for persons. */
export type PersonRules = {
  person: string[]
  exclusive: string[]
  contested: 'last-known' | 'anonymous' | 'first'
  maxPersonsPerDevice: number
}

/**
 * Attempted link: the first link of its pair that no unlink cancels. `kept` is the identifier of
 * the event with the highest priority. Links of one event are ordered by the priority of `refused`,
 * with an alias last.
 */
export type Attempt = { place: Place; kept: string; refused: string; isAlias: boolean }

export type Conflict = { kept: string; refused: string; place: Place }

/** `profileOf` has every identifier of every attempt; one without links maps to itself. */
export type Persons = { profileOf: Map<string, string>; conflicts: Conflict[] }

/** Decides the attempts in event order. They may be passed in any order. */
export function resolvePersons(attempts: readonly Attempt[], rules: PersonRules): Persons {
  const groups = new Map<string, Set<string>>()
  const groupOf = (identifier: string): Set<string> => {
    let group = groups.get(identifier)
    if (group === undefined) groups.set(identifier, (group = new Set([identifier])))
    return group
  }
  const conflicts: Conflict[] = []
  for (const attempt of attempts.toSorted((a, b) => compareAttempts(a, b, rules))) {
    const left = groupOf(attempt.kept)
    const right = groupOf(attempt.refused)
    if (left === right) continue
    if (!attempt.isAlias && isExcluded(left, right, rules)) {
      conflicts.push({ kept: attempt.kept, refused: attempt.refused, place: attempt.place })
      continue
    }
    const [into, from] = left.size < right.size ? [right, left] : [left, right]
    for (const member of from) {
      into.add(member)
      groups.set(member, into)
    }
  }
  const profileOf = new Map<string, string>()
  for (const group of new Set(groups.values())) {
    const profile = profileOfGroup(group, rules)
    for (const member of group) profileOf.set(member, profile)
  }
  return { profileOf, conflicts }
}

function compareAttempts(a: Attempt, b: Attempt, rules: PersonRules): number {
  return (
    comparePlaces(a.place, b.place) ||
    Number(a.isAlias) - Number(b.isAlias) ||
    priorityOf(a.refused, rules) - priorityOf(b.refused, rules)
  )
}

function priorityOf(identifier: string, rules: PersonRules): number {
  return rules.person.indexOf(namespaceOf(identifier))
}

/** Returns whether both groups have a value of the same exclusive namespace. */
function isExcluded(left: Set<string>, right: Set<string>, rules: PersonRules): boolean {
  return rules.exclusive.some(
    (namespace) => holds(left, `${namespace}:`) && holds(right, `${namespace}:`),
  )
}

function holds(group: Set<string>, prefix: string): boolean {
  for (const member of group) if (member.startsWith(prefix)) return true
  return false
}

/** Returns the value of the highest-priority namespace of a group, the smallest by code point. */
function profileOfGroup(group: Set<string>, rules: PersonRules): string {
  let best: string | undefined
  for (const member of group) {
    if (best === undefined || compareMembers(member, best, rules) < 0) best = member
  }
  return best as string
}

function compareMembers(a: string, b: string, rules: PersonRules): number {
  return priorityOf(a, rules) - priorityOf(b, rules) || compareText(a, b)
}

/**
 * Rule for the sessions of a stream that name no person:
 * - `nobody`: no session names a person; all belong to the anonymous profile;
 * - `neighbours`: the person named before, otherwise the person named after;
 * - `anonymous`, `first`: as set by `contested`, or because the stream is shared.
 */
export type Claim = 'nobody' | 'neighbours' | 'anonymous' | 'first'

/** Profiles of the sessions of a stream, as codes, and the rule for those that name no person. */
export type Assigned = { profiles: number[]; claim: Claim }

/**
 * Assigns the sessions of a stream. `named[i]` is the code of the profile that session i names, or
 * `NO_TEXT`.
 */
export function assignSessions(
  named: readonly number[],
  stream: number,
  rules: PersonRules,
): Assigned {
  const claim = claimOf(named, rules)
  const first = firstOf(named, stream)
  let before = first
  const profiles: number[] = []
  for (const person of named) {
    if (person !== NO_TEXT) before = person
    if (person !== NO_TEXT) profiles.push(person)
    else if (claim === 'neighbours') profiles.push(before)
    else profiles.push(claim === 'first' ? first : stream)
  }
  return { profiles, claim }
}

/** Returns the first person that is named, otherwise `stream`. */
function firstOf(named: readonly number[], stream: number): number {
  for (const person of named) if (person !== NO_TEXT) return person
  return stream
}

function claimOf(named: readonly number[], rules: PersonRules): Claim {
  const distinct = distinctOf(named)
  if (distinct === 0) return 'nobody'
  if (distinct > rules.maxPersonsPerDevice) return 'anonymous'
  if (distinct >= 2 && rules.contested !== 'last-known') return rules.contested
  return 'neighbours'
}

/** Returns the number of distinct persons. Most streams name one at most. */
function distinctOf(named: readonly number[]): number {
  let first = NO_TEXT
  let others: Set<number> | null = null
  for (const person of named) {
    if (person === NO_TEXT || person === first) continue
    if (first === NO_TEXT) first = person
    else (others ??= new Set()).add(person)
  }
  return (first === NO_TEXT ? 0 : 1) + (others?.size ?? 0)
}
