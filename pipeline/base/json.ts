/** JSON values: type, equality and paths. */

/** Returns the value at a path through own members of objects; undefined if absent. */
export function valueAt(event: { [member: string]: Json }, path: string): Json | undefined {
  let value: Json | undefined = event
  for (const member of path.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    value = Object.hasOwn(value, member) ? value[member] : undefined
  }
  return value ?? undefined
}

/** JSON value as `JSON.parse` returns it. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** Compares JSON deeply; the order of members does not matter. */
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

/** JSON object of a line. */
export type Wire = { [member: string]: unknown }

export function isObject(value: unknown): value is Wire {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
