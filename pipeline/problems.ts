/** Where the static checks write down what they find, and what several of them need. */

import { parseDuration } from './journey.ts'

export const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/
export const NAME_RULE = 'write letters, digits, _ and -, not beginning with a digit or -'
export const DURATION_RULE = 'write a number above 0 and one of ms s m h d w, such as 30m'

/** Problems found so far, each with where it is. */
export class Problems {
  readonly #file: string
  readonly found: string[] = []

  constructor(file: string) {
    this.#file = file
  }

  add(where: string, what: string): void {
    this.found.push(where === '' ? `${this.#file}: ${what}` : `${this.#file}: ${where}: ${what}`)
  }
}

export type Plain = { [member: string]: unknown }

export function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function checkDuration(
  problems: Problems,
  where: string,
  label: string,
  duration: unknown,
): void {
  if (duration === undefined || parseDuration(duration) !== null) return
  problems.add(where, `${label} ${JSON.stringify(duration)} is no duration; ${DURATION_RULE}`)
}

/** What cannot be written as JSON cannot be told of either, and may have no end. */
export function isData(problems: Problems, definition: Plain): boolean {
  try {
    JSON.stringify(definition)
    return true
  } catch {
    problems.add('', 'it holds a bigint or itself, which is no plain data; write JSON values')
    return false
  }
}

export function checkMembers(problems: Problems, where: string, value: Plain, known: string[]): void {
  for (const member of Object.keys(value)) {
    if (known.includes(member)) continue
    problems.add(where, `${member} is unknown; write one of ${known.join(', ')}`)
  }
}
