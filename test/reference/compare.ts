/** Reference of the guard operators: one comparison at a time, without conversions. */

import type { Json } from '../../pipeline/base/json.ts'
import { byCodePoint, canonical } from './identity.ts'

const kind = (value: Json) => (Array.isArray(value) ? 'array' : typeof value)
const equal = (a: Json, b: Json) => canonical(a) === canonical(b)

export function compare(
  value: Json | undefined,
  guard: { [op: string]: Json | undefined },
): boolean {
  return Object.entries(guard).every(([op, operand]) => {
    if (['property', 'context', 'field', 'count', 'visits'].includes(op)) return true
    if (op === 'exists') return (value !== undefined) === operand
    if (value === undefined || operand === undefined || operand === null) return false
    if (op === 'eq') return equal(value, operand)
    if (op === 'ne') return kind(value) === kind(operand) && !equal(value, operand)
    if (op === 'in') return (operand as Json[]).some((item) => equal(item, value))
    if (op === 'startsWith') {
      return typeof value === 'string' && typeof operand === 'string' && value.startsWith(operand)
    }
    if (op === 'contains') {
      if (typeof value === 'string') return typeof operand === 'string' && value.includes(operand)
      return Array.isArray(value) && value.some((item) => equal(item, operand))
    }
    const order = orderOf(value, operand)
    if (order === null) return false
    if (op === 'gt') return order > 0
    if (op === 'gte') return order >= 0
    return op === 'lt' ? order < 0 : order <= 0
  })
}

function orderOf(a: Json, b: Json): number | null {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return typeof a === 'string' && typeof b === 'string' ? byCodePoint(a, b) : null
}
