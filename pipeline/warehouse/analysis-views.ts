/** Analysis views of `sql/analysis/`, in an order in which they can be created. */

import { assert } from '../base/errors.ts'
import { sqlFiles, type SqlFile } from './sql-files.ts'

/** Returns all analysis views, each after those it reads. */
export function analysisViews(): SqlFile[] {
  const waiting = sqlFiles('analysis')
  const names = new Set(waiting.map(({ name }) => name))
  const made: SqlFile[] = []
  const isMade = (name: string) => !names.has(name) || made.some((view) => view.name === name)
  while (waiting.length > 0) {
    const next = waiting.findIndex(({ reads }) => reads.every(isMade))
    assert(next >= 0, `analysis views read one another in a loop: ${[...names].join(', ')}`)
    made.push(...waiting.splice(next, 1))
  }
  return made
}
