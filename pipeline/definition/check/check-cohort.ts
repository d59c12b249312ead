/** Static checks of cohorts. Each problem names the place and what to write instead. */

import { checkGuard } from './check-guard.ts'
import { PATH_MARK } from '../cohort.ts'
import { tracksOf, type Journey } from '../journey.ts'
import { didYouMean } from './near-name.ts'
import {
  checkDuration,
  checkMembers,
  isData,
  isPlain,
  Problems,
  NAME,
  NAME_RULE,
  type Plain,
} from './problems.ts'

const SHARED = ['journey', 'where', 'afterCycle']
/** Options of each condition besides its own member. */
const QUESTIONS: { [question: string]: string[] } = {
  reached: ['times', 'within'],
  cycled: ['times', 'within'],
  in: ['dwell'],
  inOrder: ['within', 'span'],
}
const KNOWN = ['all', 'any', 'not', ...Object.keys(QUESTIONS)].join(', ')
const TIMES = ['eq', 'gt', 'gte', 'lt', 'lte']
const STEPS_MAX = 64

/** Returns every problem of a cohort; empty if it is valid. The journeys must be valid. */
export function checkCohort(file: string, cohort: unknown, journeys: Journey[]): string[] {
  const problems = new Problems(file)
  if (!isPlain(cohort)) {
    problems.add('', 'the default export is not a cohort; export default defineCohort({ … })')
    return problems.found
  }
  if (!isData(problems, cohort)) return problems.found
  checkMembers(problems, '', cohort, ['id', 'version', 'who'])
  const { id, version = 1 } = cohort
  if (typeof id !== 'string' || !NAME.test(id)) {
    problems.add('', `id ${JSON.stringify(id)} is not a valid name; ${NAME_RULE}`)
  }
  if (!Number.isSafeInteger(version) || (version as number) < 1) {
    problems.add('', `version ${JSON.stringify(version)} is not a version number; write 1, 2, 3 …`)
  }
  checkCondition(problems, 'who', cohort['who'], journeys)
  return problems.found
}

function checkCondition(
  problems: Problems,
  where: string,
  condition: unknown,
  journeys: Journey[],
): void {
  if (!isPlain(condition)) {
    const what = `${JSON.stringify(condition) ?? 'nothing'} is not a condition`
    problems.add(where, `${what}; write { journey, reached: state }`)
    return
  }
  for (const member of ['all', 'any']) {
    const parts = condition[member]
    if (parts === undefined) continue
    checkMembers(problems, where, condition, [member])
    if (!Array.isArray(parts) || parts.length === 0) {
      problems.add(where, `${member} is not a list of conditions; list at least one in it`)
      return
    }
    ;(parts as unknown[]).forEach((part, i) =>
      checkCondition(problems, `${where}.${member}[${i}]`, part, journeys),
    )
    return
  }
  if (condition['not'] !== undefined) {
    checkMembers(problems, where, condition, ['not'])
    checkCondition(problems, `${where}.not`, condition['not'], journeys)
    return
  }
  const question = Object.keys(QUESTIONS).find((name) => condition[name] !== undefined)
  if (question === undefined) {
    problems.add(where, `${JSON.stringify(condition)} is not a condition; write one of ${KNOWN}`)
    return
  }
  checkQuestion(problems, where, condition, question, journeys)
}

function checkQuestion(
  problems: Problems,
  where: string,
  condition: Plain,
  question: string,
  journeys: Journey[],
): void {
  checkMembers(problems, where, condition, [
    ...SHARED,
    question,
    ...(QUESTIONS[question] as string[]),
  ])
  const journey = journeys.find(({ id }) => id === condition['journey'])
  if (journey === undefined) {
    const ids = journeys.map(({ id }) => id)
    const known = ids.join(', ') || 'none'
    const what = `journey ${JSON.stringify(condition['journey'])} is not defined`
    problems.add(where, `${what}; ${didYouMean(condition['journey'], ids)}there is: ${known}`)
    return
  }
  const asked = condition[question]
  if (question === 'cycled') checkPath(problems, where, question, asked, journey)
  else if (question === 'inOrder') checkOrder(problems, where, asked, journey)
  else checkState(problems, where, question, asked, journey)
  const { afterCycle } = condition
  if (afterCycle !== undefined) checkPath(problems, where, 'afterCycle', afterCycle, journey)
  if (condition['where'] !== undefined) checkGuard(problems, where, condition['where'], null)
  checkDuration(problems, where, 'within', condition['within'])
  checkDuration(problems, where, 'span', condition['span'])
  checkTimes(problems, where, condition['times'])
  checkDwell(problems, where, condition['dwell'])
}

function checkState(
  problems: Problems,
  where: string,
  member: string,
  place: unknown,
  journey: Journey,
): void {
  const tracks = tracksOf(journey)
  const places = tracks.flatMap(([track, { states }]) =>
    Object.keys(states).map((state) => [state, `${track}.${state}`]),
  )
  if (places.some((names) => names.includes(place as string))) return
  const known = places.map(([state, full]) => (tracks.length === 1 ? state : full)).join(', ')
  const what = `${member} ${JSON.stringify(place)} is not a state of ${journey.id}`
  const fix = `${didYouMean(place, places.flat())}write one of ${known}`
  problems.add(where, `${what}; ${fix}`)
}

function checkPath(
  problems: Problems,
  where: string,
  member: string,
  path: unknown,
  journey: Journey,
): void {
  const steps = typeof path === 'string' ? path.split(PATH_MARK) : []
  const isRound = steps.length > 1 && steps[0] === steps.at(-1)
  const isOfTrack = tracksOf(journey).some(([, { states }]) =>
    steps.every((state) => Object.hasOwn(states, state)),
  )
  if (isRound && isOfTrack) return
  const what = `${member} ${JSON.stringify(path)} is not a cycle of ${journey.id}`
  problems.add(where, `${what}; write the states of one track and the first again, 'a > b > a'`)
}

function checkOrder(problems: Problems, where: string, steps: unknown, journey: Journey): void {
  if (!Array.isArray(steps) || steps.length < 2 || steps.length > STEPS_MAX) {
    problems.add(where, `inOrder is not a list of 2 to ${STEPS_MAX} states; write ['a', 'b']`)
    return
  }
  for (const step of steps as unknown[]) checkState(problems, where, 'inOrder', step, journey)
}

function checkTimes(problems: Problems, where: string, times: unknown): void {
  if (times === undefined) return
  const bounds = isPlain(times) ? times : {}
  checkMembers(problems, `${where}: times`, bounds, TIMES)
  const counts = Object.values(bounds)
  const isSound = counts.every((count) => Number.isSafeInteger(count) && (count as number) >= 0)
  if (counts.length > 0 && isSound) return
  problems.add(where, `times ${JSON.stringify(times)} is not a count; write { gte: 2 }`)
}

function checkDwell(problems: Problems, where: string, dwell: unknown): void {
  if (dwell === undefined) return
  const bounds = isPlain(dwell) ? dwell : {}
  checkMembers(problems, `${where}: dwell`, bounds, ['gte', 'lt'])
  if (bounds['gte'] === undefined && bounds['lt'] === undefined) {
    problems.add(where, "dwell has no operator; write { gte: '10m' } or { lt: '10m' }")
  }
  checkDuration(problems, where, 'dwell gte', bounds['gte'])
  checkDuration(problems, where, 'dwell lt', bounds['lt'])
}
