/**
 * Static checks of guards: subjects, operators and the states they name. A guard of a funnel or
 * cohort has no scope (null) and may use the event only.
 */

import { checkDuration, isPlain, type Plain, type Problems } from './problems.ts'
import { OPERATORS } from '../guard.ts'
import { didYouMean } from './near-name.ts'
import { memberPathFault } from '../path.ts'

/** Track of the guard, and the states of every track. */
export type GuardScope = { track: string; tracks: Map<string, string[]> }

const EVENT_SUBJECTS = ['property', 'context', 'field']
const SUBJECTS = [...EVENT_SUBJECTS, 'count', 'visits']

export function checkGuard(
  problems: Problems,
  where: string,
  guard: unknown,
  scope: GuardScope | null,
): void {
  if (!isPlain(guard)) {
    problems.add(where, `guard ${JSON.stringify(guard)} is not a guard; write { property, eq }`)
    return
  }
  const ofInstance = scope === null ? askedOfInstance(guard) : undefined
  if (ofInstance !== undefined) {
    const known = [...EVENT_SUBJECTS, 'all', 'any', 'not'].join(', ')
    problems.add(where, `guard: ${ofInstance} depends on an instance; write one of ${known}`)
    return
  }
  for (const member of ['all', 'any']) {
    if (!(member in guard)) continue
    checkOnly(problems, where, guard, [member])
    checkParts(problems, where, member, guard[member], scope)
    return
  }
  if ('not' in guard) {
    checkOnly(problems, where, guard, ['not'])
    checkGuard(problems, where, guard['not'], scope)
    return
  }
  if ('dwell' in guard) {
    checkOnly(problems, where, guard, ['dwell'])
    checkDwell(problems, where, guard['dwell'])
    return
  }
  const subject = SUBJECTS.find((name) => name in guard)
  if (subject !== undefined) checkSubject(problems, where, guard, subject, scope)
  else if ('in' in guard) {
    checkOnly(problems, where, guard, ['in'])
    checkPlace(problems, where, 'in', guard['in'], scope)
  } else {
    const known = [...SUBJECTS, 'in', 'dwell', 'all', 'any', 'not'].join(', ')
    problems.add(where, `guard ${JSON.stringify(guard)} has no subject; write one of ${known}`)
  }
}

/** Returns the member that needs an instance. `in` beside a subject is an operator. */
function askedOfInstance(guard: Plain): string | undefined {
  if (EVENT_SUBJECTS.some((subject) => subject in guard)) return undefined
  return ['count', 'visits', 'dwell', 'in'].find((member) => member in guard)
}

function checkOnly(problems: Problems, where: string, guard: Plain, known: string[]): void {
  for (const member of Object.keys(guard)) {
    if (known.includes(member)) continue
    problems.add(where, `guard: ${member} is unknown here; write one of ${known.join(', ')}`)
  }
}

function checkParts(
  problems: Problems,
  where: string,
  member: string,
  parts: unknown,
  scope: GuardScope | null,
): void {
  if (!Array.isArray(parts) || parts.length === 0) {
    problems.add(where, `guard: ${member} is empty; list at least one guard in it`)
    return
  }
  for (const part of parts as unknown[]) checkGuard(problems, where, part, scope)
}

function checkDwell(problems: Problems, where: string, dwell: unknown): void {
  const bounds = isPlain(dwell) ? dwell : {}
  if (bounds['gte'] === undefined && bounds['lt'] === undefined) {
    problems.add(where, "guard: dwell has no operator; write { gte: '10m' } or { lt: '10m' }")
  }
  checkOnly(problems, where, bounds, ['gte', 'lt'])
  checkDuration(problems, where, 'guard: dwell gte', bounds['gte'])
  checkDuration(problems, where, 'guard: dwell lt', bounds['lt'])
}

function checkSubject(
  problems: Problems,
  where: string,
  guard: Plain,
  subject: string,
  scope: GuardScope | null,
): void {
  checkOnly(problems, where, guard, [subject, ...OPERATORS])
  const about = guard[subject]
  const label = `guard on ${subject} ${JSON.stringify(about)}`
  if (typeof about !== 'string') problems.add(where, `${label}: it is not a text; write a name`)
  if (!OPERATORS.some((operator) => guard[operator] !== undefined)) {
    problems.add(where, `${label} has no operator; write one of ${OPERATORS.join(', ')}`)
  }
  if (guard['in'] !== undefined && !Array.isArray(guard['in'])) {
    problems.add(where, `${label}: in is not a list; write in: [ … ]`)
  }
  if (guard['exists'] !== undefined && typeof guard['exists'] !== 'boolean') {
    problems.add(where, `${label}: exists is not true or false`)
  }
  if (subject === 'field' && about !== 'source' && about !== 'name') {
    problems.add(where, `${label}: the field does not exist; write source or name`)
  }
  if ((subject === 'property' || subject === 'context') && typeof about === 'string') {
    const fault = memberPathFault(subject, about)
    if (fault !== null) problems.add(where, `${label}: ${fault}`)
  }
  if (subject === 'visits') checkPlace(problems, where, 'visits', about, scope)
}

/** Checks `track.state`, or a state of the guard's own track or of another one. */
function checkPlace(
  problems: Problems,
  where: string,
  member: string,
  place: unknown,
  scope: GuardScope | null,
): void {
  if (scope === null) return
  const [track = '', state, ...more] = String(place).split('.')
  const isThere =
    state === undefined
      ? [...scope.tracks.values()].some((states) => states.includes(track))
      : more.length === 0 && (scope.tracks.get(track)?.includes(state) ?? false)
  if (isThere) return
  const places = [...scope.tracks].flatMap(([name, states]) => states.map((s) => `${name}.${s}`))
  const what = `guard: ${member} ${JSON.stringify(place)} is not a state`
  const known = [...places, ...[...scope.tracks.values()].flat()]
  const fix = `${didYouMean(place, known)}write one of ${places.join(', ')}`
  problems.add(where, `${what}; ${fix}`)
}
