/** Reading a path of a JSON object, as guards and breakdowns do. */

import type { Json } from '../definition/journey.ts'

/** The value at a path through objects' own members; null is absent. */
export function valueAt(event: { [member: string]: Json }, path: string): Json | undefined {
  let value: Json | undefined = event
  for (const member of path.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    value = Object.hasOwn(value, member) ? value[member] : undefined
  }
  return value ?? undefined
}
