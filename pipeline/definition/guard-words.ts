/** Guards as text: `value at least 10 and not (in support.waiting)`. */

import type { Json } from '../base/json.ts'
import type { Guard, Operators } from './guard-syntax.ts'

const OPERATORS: { [Name in keyof Operators]-?: string } = {
  eq: 'is',
  ne: 'is not',
  gt: 'over',
  gte: 'at least',
  lt: 'under',
  lte: 'at most',
  in: 'is one of',
  exists: 'is present',
  startsWith: 'starts with',
  contains: 'contains',
}

/** Returns a guard as text, for diagrams and explanations. */
export function guardWords(guard: Guard): string {
  if ('all' in guard) return guard.all.map(part).join(' and ')
  if ('any' in guard) return guard.any.map(part).join(' or ')
  if ('not' in guard) return `not (${guardWords(guard.not)})`
  if ('in' in guard && typeof guard.in === 'string') return `in ${guard.in}`
  if ('dwell' in guard) return dwellWords(guard.dwell)
  return operatorsWords(subject(guard), guard as Operators)
}

/** Adds parentheses to a group of several conditions inside another group. */
function part(guard: Guard): string {
  const isGroup =
    ('all' in guard && guard.all.length > 1) || ('any' in guard && guard.any.length > 1)
  return isGroup ? `(${guardWords(guard)})` : guardWords(guard)
}

function subject(guard: Guard): string {
  if ('property' in guard) return guard.property
  if ('context' in guard) return `context ${guard.context}`
  if ('field' in guard) return guard.field
  if ('count' in guard) return `count of ${guard.count}`
  return 'visits' in guard ? `visits to ${guard.visits}` : ''
}

function operatorsWords(what: string, operators: Operators): string {
  const words = Object.entries(OPERATORS).flatMap(([name, text]) => {
    const value = operators[name as keyof Operators]
    if (value === undefined) return []
    if (name === 'exists') return [value === true ? text : 'is absent']
    const list = name === 'in' && Array.isArray(value) ? value : [value]
    return [`${text} ${list.map(valueWords).join(', ')}`]
  })
  return `${what} ${words.join(' and ')}`
}

/** Quotes a text that could be read as another value: `"5"`, `"true"`, an empty text. */
const valueWords = (value: Json): string =>
  typeof value === 'string' && !isJson(value) ? value : JSON.stringify(value)

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return text.trim() === ''
  }
}

function dwellWords({ gte, lt }: { gte?: string; lt?: string }): string {
  const least = gte === undefined ? [] : [`at least ${gte}`]
  const most = lt === undefined ? [] : [`under ${lt}`]
  return `stayed ${[...least, ...most].join(' and ')}`
}
