/** Checks that events have the property that `--by` names. */

import { UserError } from '../../../pipeline/base/errors.ts'
import { choiceOf } from '../../../pipeline/base/text.ts'
import type { Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import { text } from '../read.ts'

/** Events whose properties are named in the error, and names that it has. */
const EVENTS_MAX = 2_000
const NAMES_MAX = 30

/** Throws a `UserError` with known paths if no event has a value at `path`; `value` is its
 * expression. */
export async function checkBy(warehouse: Warehouse, path: string, value: string): Promise<void> {
  const found = await warehouse.query(
    `select 1 as n from events where ${value} is not null limit 1`,
  )
  if (found.length > 0) return
  const names = await knownPaths(warehouse, path.split('.')[0] ?? '')
  const shown = names.slice(0, NAMES_MAX)
  const more = names.length > NAMES_MAX ? ` and ${names.length - NAMES_MAX} more` : ''
  throw new UserError(
    `--by ${JSON.stringify(path)}: no event in ${warehouse.url} has a value there; ` +
      `${choiceOf(['source', 'name', ...shown], 'paths')}${more}`,
    2,
  )
}

/** Paths of values in the latest events, the commonest first. */
async function knownPaths(warehouse: Warehouse, object: string): Promise<string[]> {
  if (object !== 'properties' && object !== 'context') return []
  const rows = await warehouse.query(
    `select ${object} as members from events
     where ${object} is not null order by occurred_at desc limit ${EVENTS_MAX}`,
  )
  const counts = new Map<string, number>()
  const count = (value: unknown, path: string) => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [name, member] of Object.entries(value)) count(member, `${path}.${name}`)
    } else counts.set(path, (counts.get(path) ?? 0) + 1)
  }
  for (const { members } of rows) count(JSON.parse(text(members)), object)
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([path]) => path)
}
