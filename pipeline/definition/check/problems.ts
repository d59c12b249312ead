/** Problems found by the static checks, and checks that several of them share. */

import { parseDuration } from '../duration.ts'
import { pathFault } from '../path.ts'

export const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/
export const NAME_RULE = 'write letters, digits, _ and -, not beginning with a digit or -'
export const DURATION_RULE = 'write a number above 0 and one of ms s m h d w, such as 30m'

/** Collects problems, each with its place in a file. */
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
  problems.add(where, `${label} ${JSON.stringify(duration)} is not a duration; ${DURATION_RULE}`)
}

/** Checks a list of paths into an event; `example` is a path that an error suggests. */
export function checkPaths(
  problems: Problems,
  member: string,
  paths: unknown,
  example: string,
): void {
  if (paths === undefined) return
  if (!Array.isArray(paths)) {
    problems.add('', `${member} ${JSON.stringify(paths)} is not a list; write ['${example}']`)
    return
  }
  for (const path of paths as unknown[]) {
    const fault = pathFault(path)
    if (fault !== null) problems.add('', `${member}: ${fault}`)
  }
}

/**
 * Returns whether a definition is plain JSON data. Other values cannot be hashed or printed, or
 * JSON omits them.
 */
export function isData(problems: Problems, definition: Plain): boolean {
  let odd: string | null = null
  try {
    JSON.stringify(definition, function (this: Plain, member: string, value: unknown) {
      odd ??= oddity(this[member])
      return value
    })
  } catch {
    odd ??= 'a bigint or a circular reference'
  }
  if (odd !== null) {
    problems.add('', `it contains ${odd}, which is not plain data; write JSON values`)
  }
  return odd === null
}

function oddity(value: unknown): string | null {
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  const kind = Object.prototype.toString.call(value).slice('[object '.length, -1)
  const isPlainKind = typeof value !== 'object' || ['Object', 'Array', 'Null'].includes(kind)
  return isPlainKind ? null : `a ${kind}`
}

export function checkMembers(
  problems: Problems,
  where: string,
  value: Plain,
  known: string[],
): void {
  for (const member of Object.keys(value)) {
    if (known.includes(member)) continue
    problems.add(where, `${member} is unknown; write one of ${known.join(', ')}`)
  }
}
