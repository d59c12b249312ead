/** Where the static checks write down what they find, and what several of them need. */

import { parseDuration } from './journey.ts'

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
