/** Static checks of funnels. Each problem names the place and what to write instead. */

import { checkGuard } from './check-guard.ts'
import {
  CLICKHOUSE_MODES,
  COUNTS,
  ENTRIES,
  EXCLUSION_EFFECTS,
  ORDERS,
  STEPS_MAX,
  TIES,
} from '../funnel.ts'
import { didYouMean } from './near-name.ts'
import {
  checkDuration,
  checkMembers,
  checkPaths,
  isData,
  isPlain,
  Problems,
  NAME,
  NAME_RULE,
  type Plain,
} from './problems.ts'

const FUNNEL_MEMBERS = [
  'id',
  'version',
  'steps',
  'within',
  'order',
  'entry',
  'count',
  'exclude',
  'holdConstant',
  'ties',
  'semantics',
]
const STEP_MEMBERS = ['event', 'where', 'within', 'minGap', 'optional']
const STATE_STEP_MEMBERS = ['state', 'within', 'minGap', 'optional']
const EXCLUSION_MEMBERS = ['event', 'where', 'between', 'effect']
/** Options allowed with `semantics: 'clickhouse'`; `windowFunnel` fixes all others. */
const CLICKHOUSE_MEMBERS = ['id', 'version', 'steps', 'within', 'semantics', 'count']
/** Options beside `semantics: 'posthog'`. */
const POSTHOG_MEMBERS = [...CLICKHOUSE_MEMBERS, 'order', 'exclude']

const HELD_EXAMPLE = 'properties.product_id'

/** Returns every problem of a funnel of events; empty if it is valid. */
export function checkFunnel(file: string, funnel: unknown): string[] {
  const problems = new Problems(file)
  if (!isPlain(funnel)) {
    problems.add('', 'the default export is not a funnel; export default defineFunnel({ … })')
    return problems.found
  }
  if (!isData(problems, funnel)) return problems.found
  checkMembers(problems, '', funnel, FUNNEL_MEMBERS)
  const { id, version = 1 } = funnel
  if (typeof id !== 'string' || !NAME.test(id)) {
    problems.add('', `id ${JSON.stringify(id)} is not a valid name; ${NAME_RULE}`)
  }
  if (!Number.isSafeInteger(version) || (version as number) < 1) {
    problems.add('', `version ${JSON.stringify(version)} is not a version number; write 1, 2, 3 …`)
  }
  const steps = stepsOf(problems, '', funnel, 'event')
  steps.forEach((step, i) => {
    const where = `step ${i + 1}`
    checkMembers(problems, where, step, STEP_MEMBERS)
    checkEvent(problems, where, step)
    checkLimits(problems, where, step, i, steps.length)
  })
  if (funnel['within'] === undefined) {
    problems.add('', "within is missing: an attempt would never end; write within: '7d'")
  }
  checkDuration(problems, '', 'within', funnel['within'])
  checkOption(problems, '', funnel, 'order', ORDERS)
  checkOption(problems, '', funnel, 'entry', ENTRIES)
  checkOption(problems, '', funnel, 'ties', TIES)
  const counts = COUNTS.filter((count) => count !== 'instances')
  checkOption(problems, '', funnel, 'count', counts)
  checkHeld(problems, funnel['holdConstant'])
  checkExclusions(problems, funnel['exclude'], steps.length)
  if (funnel['order'] === 'any') checkAny(problems, steps)
  checkSemantics(problems, funnel, steps)
  return problems.found
}

/** Checks a journey's `funnels`; `places` are the names of its states that steps may use. */
export function checkJourneyFunnels(problems: Problems, funnels: unknown, places: string[]): void {
  if (funnels === undefined) return
  if (!isPlain(funnels)) {
    problems.add('funnels', 'it is not a map; write funnels: { name: { steps: […] } }')
    return
  }
  for (const [id, funnel] of Object.entries(funnels)) {
    const at = `funnel ${id}`
    if (!NAME.test(id)) problems.add(at, `the name is not allowed; ${NAME_RULE}`)
    if (!isPlain(funnel)) {
      problems.add(at, 'it is not a funnel; write { steps: [state, …] }')
      continue
    }
    checkMembers(problems, at, funnel, ['steps', 'within', 'order', 'entry', 'count'])
    const steps = stepsOf(problems, at, funnel, 'state')
    steps.forEach((step, i) => {
      const { state } = step
      if (typeof state !== 'string' || !places.includes(state)) {
        const what = `step ${JSON.stringify(state)} is not a state`
        const fix = `${didYouMean(state, places)}write one of ${places.join(', ')}`
        problems.add(at, `${what}; ${fix}`)
      }
      checkMembers(problems, `${at}, step ${i + 1}`, step, STATE_STEP_MEMBERS)
      checkLimits(problems, `${at}, step ${i + 1}`, step, i, steps.length)
    })
    checkDuration(problems, at, 'within', funnel['within'])
    const orders = ORDERS.filter((order) => order !== 'any')
    checkOption(problems, at, funnel, 'order', orders)
    checkOption(problems, at, funnel, 'entry', ENTRIES)
    const counts = COUNTS.filter((count) => count !== 'sessions')
    checkOption(problems, at, funnel, 'count', counts)
  }
}

/** Returns the steps as objects; a step that is a text becomes a member named `subject`. */
function stepsOf(problems: Problems, where: string, funnel: Plain, subject: string): Plain[] {
  const { steps } = funnel
  if (!Array.isArray(steps) || steps.length === 0) {
    problems.add(where, `it has no steps; write steps: [${subject}, …]`)
    return []
  }
  if (steps.length > STEPS_MAX) {
    const what = `it has ${steps.length} steps; write at most ${STEPS_MAX}`
    problems.add(where, `${what}, or split it`)
  }
  return (steps as unknown[]).map((step) => (isPlain(step) ? step : { [subject]: step }))
}

function checkEvent(problems: Problems, where: string, value: Plain): void {
  const { event } = value
  if (typeof event !== 'string' || event === '') {
    problems.add(where, `event ${JSON.stringify(event)} is not an event name; write a text`)
  }
  if (value['where'] !== undefined) checkGuard(problems, where, value['where'], null)
}

function checkLimits(
  problems: Problems,
  where: string,
  step: Plain,
  index: number,
  count: number,
): void {
  for (const limit of ['within', 'minGap']) {
    checkDuration(problems, where, limit, step[limit])
    if (step[limit] === undefined || index > 0) continue
    problems.add(where, `${limit} has no previous step to be measured from; remove it`)
  }
  const { optional } = step
  if (optional !== undefined && typeof optional !== 'boolean') {
    problems.add(where, `optional ${JSON.stringify(optional)} is not true or false`)
  }
  if (optional === true && (index === 0 || index === count - 1)) {
    const which = index === 0 ? 'the first step opens' : 'the last step converts'
    problems.add(where, `${which} an attempt and cannot be optional; remove it`)
  }
}

function checkOption(
  problems: Problems,
  where: string,
  funnel: Plain,
  option: string,
  values: readonly string[],
): void {
  const value = funnel[option]
  if (value === undefined || values.some((known) => known === value)) return
  const fix = `write one of ${values.join(', ')}`
  problems.add(where, `${option} ${JSON.stringify(value)} is unknown; ${fix}`)
}

function checkHeld(problems: Problems, held: unknown): void {
  if (Array.isArray(held) && held.length === 0) {
    problems.add('', `holdConstant lists no path; write ['${HELD_EXAMPLE}'] or leave it out`)
  }
  checkPaths(problems, 'holdConstant', held, HELD_EXAMPLE)
}

function checkExclusions(problems: Problems, exclusions: unknown, steps: number): void {
  if (exclusions === undefined) return
  if (!Array.isArray(exclusions)) {
    problems.add('', `exclude ${JSON.stringify(exclusions)} is not a list; write [{ event: … }]`)
    return
  }
  ;(exclusions as unknown[]).forEach((exclusion, i) => {
    const where = `exclude ${i + 1}`
    if (!isPlain(exclusion)) {
      problems.add(where, `${JSON.stringify(exclusion)} is not an exclusion; write { event: … }`)
      return
    }
    checkMembers(problems, where, exclusion, EXCLUSION_MEMBERS)
    checkEvent(problems, where, exclusion)
    checkOption(problems, where, exclusion, 'effect', EXCLUSION_EFFECTS)
    const { between = [1, steps] } = exclusion
    const [from, to] = (Array.isArray(between) ? between : []) as unknown[]
    const isRange = Number.isSafeInteger(from) && Number.isSafeInteger(to)
    if (isRange && 1 <= (from as number) && (from as number) < (to as number)) {
      if ((to as number) <= steps) return
    }
    const what = `between ${JSON.stringify(between)} are not two steps of ${steps}`
    problems.add(where, `${what}; write [1, 2], the earlier first`)
  })
}

/** Rejects limits measured from the previous step, which `order: 'any'` does not have. */
function checkAny(problems: Problems, steps: Plain[]): void {
  steps.forEach((step, i) => {
    for (const member of ['within', 'minGap', 'optional']) {
      if (step[member] === undefined) continue
      const what = `${member} needs an order`
      problems.add(`step ${i + 1}`, `${what}; remove it, or remove order 'any'`)
    }
  })
}

function checkSemantics(problems: Problems, funnel: Plain, steps: Plain[]): void {
  const { semantics = 'native' } = funnel
  if (semantics === 'native') return
  if (semantics === 'posthog') {
    checkPosthog(problems, funnel, steps)
    return
  }
  const modes: unknown = isPlain(semantics) ? semantics['clickhouse'] : []
  const isKnown = semantics === 'clickhouse' || isPlain(semantics)
  if (!isKnown || !Array.isArray(modes) || !modes.every(isMode)) {
    const fix = `write 'native', 'posthog', 'clickhouse' or { clickhouse: [${CLICKHOUSE_MODES.join(', ')}] }`
    problems.add('', `semantics ${JSON.stringify(semantics)} is unknown; ${fix}`)
    return
  }
  if (modes.includes('allow_reentry') && !modes.includes('strict_order')) {
    problems.add('', 'semantics: allow_reentry needs strict_order; add it, or remove allow_reentry')
  }
  for (const member of Object.keys(funnel)) {
    if (CLICKHOUSE_MEMBERS.includes(member)) continue
    problems.add('', `${member} does not apply to ClickHouse semantics; remove it or semantics`)
  }
  if (funnel['count'] !== undefined && funnel['count'] !== 'profiles') {
    problems.add('', "count: ClickHouse computes one level per profile; write 'profiles'")
  }
  checkNoLimits(problems, steps, ['within', 'minGap', 'optional'], 'ClickHouse')
}

function checkPosthog(problems: Problems, funnel: Plain, steps: Plain[]): void {
  for (const member of Object.keys(funnel)) {
    if (POSTHOG_MEMBERS.includes(member)) continue
    problems.add('', `${member} does not apply to PostHog semantics; remove it or semantics`)
  }
  if (funnel['order'] === 'any') {
    problems.add('', "order 'any' does not apply to PostHog semantics; remove it or semantics")
  }
  if (funnel['count'] !== undefined && funnel['count'] !== 'profiles') {
    problems.add('', "count: PostHog counts each profile once; write 'profiles'")
  }
  const { exclude } = funnel
  ;(Array.isArray(exclude) ? (exclude as unknown[]) : []).forEach((exclusion, i) => {
    if (!isPlain(exclusion) || exclusion['effect'] === undefined) return
    const what = 'effect does not apply to PostHog semantics'
    problems.add(`exclude ${i + 1}`, `${what}; remove it`)
  })
  checkNoLimits(problems, steps, ['within', 'minGap'], 'PostHog')
}

function checkNoLimits(
  problems: Problems,
  steps: Plain[],
  members: string[],
  semantics: string,
): void {
  steps.forEach((step, i) => {
    for (const member of members) {
      if (step[member] === undefined) continue
      problems.add(`step ${i + 1}`, `${member} does not apply to ${semantics} semantics; remove it`)
    }
  })
}

function isMode(mode: unknown): boolean {
  return CLICKHOUSE_MODES.some((known) => known === mode)
}
