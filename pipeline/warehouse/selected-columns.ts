/** Columns of a query, read from the list after its outermost `select`. */

import { assert } from '../base/errors.ts'

/** Comments, texts, words with their dots, spaces, and single characters. */
const TOKENS = /--[^\n]*|'[^']*'|[\w.]+|\s+|\S/gy

/** Returns the names of the columns that a query selects, in order. `name` is for the error: each
 * item must be a column or end with its name, and none may be `*`. */
export function selectedColumns(name: string, text: string): string[] {
  const columns: string[] = []
  let depth = 0
  let last: string | null = null
  let isInList = false
  const add = () => {
    assert(last !== null && /^[a-z_][\w.]*$/i.test(last), `${name}.sql names each of its columns`)
    columns.push(last.slice(last.lastIndexOf('.') + 1))
    last = null
  }
  for (const [token] of text.matchAll(TOKENS)) {
    if (token.startsWith('--') || token.trim() === '') continue
    if (token === '(') depth += 1
    if (token === ')') depth -= 1
    if (depth > 0) {
      if (isInList) last = token
      continue
    }
    if (token === 'select') isInList = true
    else if (isInList && token === 'from') break
    else if (isInList && token === ',') add()
    else if (isInList) last = token
  }
  if (last !== null) add()
  return columns
}
