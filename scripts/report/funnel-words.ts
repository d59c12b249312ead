/** Options of a funnel as sentences, for readers who have not seen its definition. */

import { guardWords } from '../../pipeline/definition/guard-words.ts'
import type { Guard } from '../../pipeline/definition/guard-syntax.ts'

type Options = {
  within?: string | null
  order?: string
  entry?: string
  count?: string
  ties?: string
  semantics?: string
  holdConstant?: string[]
  exclude?: { event: string; where?: Guard; between?: [number, number]; effect?: string }[]
}

const ORDER: { [order: string]: string } = {
  sequential: 'steps in this order, other events may come between',
  strict: 'steps in this order, nothing may come between',
  any: 'steps in any order',
}

const ENTRY: { [entry: string]: string } = {
  every: 'every first step opens an attempt',
  first: 'only the first entry counts',
  latest: 'the last entry before the second step counts',
}

const COUNT: { [count: string]: string } = {
  attempts: 'counted by attempt',
  profiles: 'counted by person',
  sessions: 'counted by session',
  instances: 'counted by run of the journey',
}

/** Returns the options in force, given as JSON. Defaults of rarely used options are left out. */
export function funnelWords(json: string): string {
  const { within, order, entry, count, ties, semantics, holdConstant, exclude } = JSON.parse(
    json,
  ) as Options
  const parts = [
    within === undefined || within === null ? 'no time limit' : `within ${within} of the entry`,
    wordOf(ORDER, order),
    wordOf(ENTRY, entry),
    wordOf(COUNT, count),
    ties === 'strict-increase' ? 'each step later than the one before' : null,
    semantics === undefined ? null : `by the rules of ${semantics}`,
    holdConstant === undefined ? null : `with the same ${holdConstant.join(' and ')} at every step`,
    ...(exclude ?? []).map(exclusionWords),
  ]
  return `${sentence(parts.filter((part) => part !== null).join('; '))}.`
}

const wordOf = (words: { [option: string]: string }, option: string | undefined) =>
  option === undefined ? null : (words[option] ?? option)

const sentence = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)

function exclusionWords({
  event,
  where,
  between,
  effect,
}: NonNullable<Options['exclude']>[number]) {
  const when = where === undefined ? '' : ` where ${guardWords(where)}`
  const place = between === undefined ? '' : ` between steps ${between[0]} and ${between[1]}`
  const what = effect === 'end-attempt' ? 'ends the attempt' : 'removes the person'
  return `${event}${when}${place} ${what}`
}
