/** JSON values: their type, equality, and reading a path. */

/** The value at a path through objects' own members; null is absent. */
export function valueAt(event: { [member: string]: Json }, path: string): Json | undefined {
  let value: Json | undefined = event
  for (const member of path.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    value = Object.hasOwn(value, member) ? value[member] : undefined
  }
  return value ?? undefined
}

/** JSON as it comes out of `JSON.parse`. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** Deep equality of JSON; the order of an object's keys does not matter. */
export function isEqual(a: Json, b: Json): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    return a.every((item, i) => isEqual(item, b[i] ?? null))
  }
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key] ?? null, b[key] ?? null))
}

/** A line's JSON object. */
export type Wire = { [member: string]: unknown }

export function isObject(value: unknown): value is Wire {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
