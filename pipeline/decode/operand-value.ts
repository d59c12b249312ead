/** Values of operand paths: what a definition compares. */

import { isObject, type Json } from '../base/json.ts'
import { integerAt } from './scan/instant-scan.ts'
import { ABSENT, ESCAPED_TEXT, NULL, PLAIN_TEXT } from './scan/member-scan.ts'

/** Returns the value as JSON keeps it. Numbers beyond a double's range count as absent. */
export function storedValue(value: Json | undefined): Json | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  return isObject(value) || Array.isArray(value) ? JSON.parse(JSON.stringify(value)) : value
}

/** Returns the value of a path through the own members of objects; null is absent. */
export function valueAt(event: object, path: string[]): Json | undefined {
  let value: unknown = event
  for (const key of path) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined
    value = value[key]
  }
  return storedValue((value ?? undefined) as Json | undefined)
}

/** Returns the same of a member that has been scanned. */
export function scannedValue(
  type: number,
  bytes: Buffer,
  from: number,
  to: number,
): Json | undefined {
  if (type === ABSENT || type === NULL) return undefined
  if (type === PLAIN_TEXT) return bytes.toString('utf8', from, to)
  if (type === ESCAPED_TEXT) return JSON.parse(bytes.toString('utf8', from - 1, to + 1)) as string
  const integer = integerAt(bytes, from, to)
  if (Number.isSafeInteger(integer) && integer !== 0) return integer
  return storedValue(JSON.parse(bytes.toString('utf8', from, to)) as Json)
}
