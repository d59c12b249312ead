/**
 * Static checks of journeys. Each problem names the place and what to write instead. A definition
 * may be any exported value; the checks do not throw.
 *
 * `check-graph.ts` checks the machine as a whole, `check-guard.ts` guards and `check-funnel.ts`
 * funnels.
 */

import { checkJourneyFunnels } from './check-funnel.ts'
import { checkGraph } from './check-graph.ts'
import { checkGuard, type GuardScope } from './check-guard.ts'
import { parseDuration } from '../duration.ts'
import { didYouMean } from './near-name.ts'
import { OUTCOMES } from '../outcome.ts'
import { memberPathFault } from '../path.ts'
import {
  checkDuration,
  checkMembers,
  isData,
  isPlain,
  Problems,
  DURATION_RULE,
  NAME,
  NAME_RULE,
  type Plain,
} from './problems.ts'

const JOURNEY_MEMBERS = [
  'id',
  'version',
  'type',
  'initial',
  'states',
  'on',
  'ignore',
  'startOn',
  'key',
  'restart',
  'funnels',
]
const TRACK_MEMBERS = ['initial', 'states', 'on', 'ignore']
const STATE_MEMBERS = ['type', 'outcome', 'on', 'after', 'ignore', 'effects']
const CANDIDATE_MEMBERS = ['target', 'guard', 'effects']

/** Returns every problem of a journey; empty if it is valid. */
export function checkJourney(file: string, journey: unknown): string[] {
  const problems = new Problems(file)
  if (!isPlain(journey)) {
    problems.add('', 'the default export is not a journey; export default defineJourney({ … })')
    return problems.found
  }
  if (!isData(problems, journey)) return problems.found
  checkMembers(problems, '', journey, JOURNEY_MEMBERS)
  checkHead(problems, journey)
  const tracks = tracksOf(problems, journey)
  for (const [name, track] of tracks) {
    checkTrack(problems, name, track, tracks)
  }
  const places = tracks.flatMap(([name, track]) =>
    statesOf(track).flatMap((state) => [state, `${name}.${state}`]),
  )
  checkJourneyFunnels(problems, journey['funnels'], places)
  if (problems.found.length === 0) {
    for (const [name, track] of tracks) checkGraph(problems, name, track as never)
  }
  return problems.found
}

function checkHead(problems: Problems, journey: Plain): void {
  const { id, version, type, key, restart } = journey
  if (typeof id !== 'string' || !NAME.test(id)) {
    problems.add('', `id ${JSON.stringify(id)} is not a valid name; ${NAME_RULE}`)
  }
  if (!Number.isSafeInteger(version) || (version as number) < 1) {
    problems.add('', `version ${JSON.stringify(version)} is not a version number; write 1, 2, 3 …`)
  }
  if (type !== undefined && type !== 'parallel') {
    problems.add('', `type ${JSON.stringify(type)} is unknown; write 'parallel' or leave it out`)
  }
  checkNames(problems, '', 'startOn', journey['startOn'])
  if (type === 'parallel') checkNames(problems, '', 'ignore', journey['ignore'])
  checkKey(problems, key)
  if (restart !== undefined && typeof restart !== 'boolean') {
    problems.add('', `restart ${JSON.stringify(restart)} is not true or false`)
  }
}

function checkKey(problems: Problems, key: unknown): void {
  if (key === undefined) return
  const property = isPlain(key) ? key['property'] : undefined
  if (typeof property !== 'string') {
    problems.add('', `key ${JSON.stringify(key)} is not a key; write { property: 'order_id' }`)
    return
  }
  checkMembers(problems, 'key', key as Plain, ['property'])
  const fault = memberPathFault('property', property)
  if (fault !== null) problems.add('', `key property ${JSON.stringify(property)}: ${fault}`)
}

function checkNames(problems: Problems, where: string, member: string, names: unknown): void {
  if (names === undefined) return
  if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return
  problems.add(where, `${member} ${JSON.stringify(names)} is not a list of event names`)
}

function tracksOf(problems: Problems, journey: Plain): [string, Plain][] {
  if (journey['type'] !== 'parallel') return [['main', journey]]
  for (const member of ['initial', 'on']) {
    if (journey[member] !== undefined) {
      problems.add('', `${member} cannot be used with type 'parallel'; move it into a track`)
    }
  }
  const tracks = Object.entries(isPlain(journey['states']) ? journey['states'] : {})
  if (tracks.length === 0) problems.add('', 'states has no tracks; write states: { name: { … } }')
  return tracks.flatMap(([name, track]): [string, Plain][] => {
    if (!NAME.test(name)) problems.add(`track ${name}`, `the name is not allowed; ${NAME_RULE}`)
    if (!isPlain(track)) {
      problems.add(`track ${name}`, 'it is not a track; write { initial, states }')
      return []
    }
    checkMembers(problems, `track ${name}`, track, TRACK_MEMBERS)
    return [[name, track]]
  })
}

function statesOf(track: Plain | undefined): string[] {
  return isPlain(track?.['states']) ? Object.keys(track['states']) : []
}

function checkTrack(
  problems: Problems,
  name: string,
  track: Plain,
  tracks: [string, Plain][],
): void {
  const at = name === 'main' ? '' : `track ${name}, `
  const states = statesOf(track)
  if (states.length === 0) {
    problems.add(`${at}states`, 'it has no states; write states: { name: { … } }')
    return
  }
  const { initial } = track
  if (typeof initial !== 'string' || !states.includes(initial)) {
    const what = `initial ${JSON.stringify(initial)} is not a state`
    problems.add(
      `${at}initial`,
      `${what}; ${didYouMean(initial, states)}write one of ${states.join(', ')}`,
    )
  } else {
    const first = (track['states'] as Plain)[initial]
    if (isPlain(first) && first['type'] === 'final') {
      problems.add(`${at}state ${initial}`, 'the initial state is final; begin in another state')
    }
  }
  const scope: GuardScope = {
    track: name,
    tracks: new Map(tracks.map(([other, definition]) => [other, statesOf(definition)])),
  }
  const root = `${at}root`
  checkNames(problems, root, 'ignore', track['ignore'])
  checkWays(problems, root, 'on', track['on'], states, scope)
  for (const state of states) {
    checkState(
      problems,
      `${at}state ${state}`,
      state,
      (track['states'] as Plain)[state],
      states,
      scope,
    )
  }
}

function checkState(
  problems: Problems,
  where: string,
  name: string,
  state: unknown,
  states: string[],
  scope: GuardScope,
): void {
  if (!NAME.test(name)) problems.add(where, `the name is not allowed; ${NAME_RULE}`)
  if (!isPlain(state)) {
    problems.add(where, "it is not a state; write { on: { … } } or { type: 'final' }")
    return
  }
  checkMembers(problems, where, state, STATE_MEMBERS)
  const { type, outcome } = state
  if (type !== undefined && type !== 'final') {
    problems.add(where, `type ${JSON.stringify(type)} is unknown; write 'final' or leave it out`)
  }
  if (outcome !== undefined && !OUTCOMES.some((known) => known === outcome)) {
    const fix = `write one of ${OUTCOMES.join(', ')}`
    problems.add(where, `outcome ${JSON.stringify(outcome)} is unknown; ${fix}`)
  }
  if (outcome !== undefined && type !== 'final') {
    problems.add(where, "only a final state has an outcome; add type: 'final' or remove outcome")
  }
  if (type === 'final') {
    for (const member of ['on', 'after']) {
      if (!isPlain(state[member]) || Object.keys(state[member]).length === 0) continue
      problems.add(where, `${member} has no effect in a final state; remove it`)
    }
  }
  checkNames(problems, where, 'ignore', state['ignore'])
  checkEffects(problems, where, state['effects'])
  checkWays(problems, where, 'on', state['on'], states, scope)
  checkWays(problems, where, 'after', state['after'], states, scope)
}

/** Checks `on` or `after`: by event or delay, a target, a candidate, or a list of candidates. */
function checkWays(
  problems: Problems,
  where: string,
  member: 'on' | 'after',
  ways: unknown,
  states: string[],
  scope: GuardScope,
): void {
  if (ways === undefined) return
  if (!isPlain(ways)) {
    problems.add(where, `${member} ${JSON.stringify(ways)} is not a map to targets`)
    return
  }
  for (const [by, list] of Object.entries(ways)) {
    const label = `${member} '${by}'`
    if (member === 'after' && parseDuration(by) === null) {
      problems.add(where, `${label} is not a duration; ${DURATION_RULE}`)
    }
    const candidates: unknown[] = Array.isArray(list) ? list : [list]
    if (candidates.length === 0) problems.add(where, `${label} is an empty list; add a target`)
    candidates.forEach((candidate, i) => {
      checkCandidate(problems, where, label, candidate, states, scope)
      const isOpen = typeof candidate === 'string' || (isPlain(candidate) && !candidate['guard'])
      if (!isOpen || i === candidates.length - 1) return
      problems.add(where, `${label}: a candidate after an unguarded one is never used; remove it`)
    })
  }
}

function checkCandidate(
  problems: Problems,
  where: string,
  label: string,
  candidate: unknown,
  states: string[],
  scope: GuardScope,
): void {
  const target =
    typeof candidate === 'string' ? candidate : isPlain(candidate) ? candidate['target'] : null
  if (typeof target !== 'string' || !states.includes(target)) {
    const what = `${label} targets ${JSON.stringify(target)}, which is not a state`
    const fix = `${didYouMean(target, states)}write one of ${states.join(', ')}`
    problems.add(where, `${what}; ${fix}`)
  }
  if (!isPlain(candidate)) return
  checkMembers(problems, `${where}, ${label}`, candidate, CANDIDATE_MEMBERS)
  checkEffects(problems, `${where}, ${label}`, candidate['effects'])
  if (candidate['guard'] !== undefined) {
    checkGuard(problems, `${where}, ${label}`, candidate['guard'], scope)
  }
}

function checkEffects(problems: Problems, where: string, effects: unknown): void {
  if (effects === undefined) return
  if (!Array.isArray(effects)) {
    problems.add(where, `effects ${JSON.stringify(effects)} is not a list`)
    return
  }
  for (const effect of effects as unknown[]) {
    if (!isPlain(effect) || typeof effect['type'] !== 'string') {
      problems.add(where, `effect ${JSON.stringify(effect)} has no type; write { type: 'name' }`)
    } else {
      checkDuration(problems, where, 'effect within', effect['within'])
    }
  }
}
