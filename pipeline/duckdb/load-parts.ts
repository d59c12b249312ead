/** Load into a DuckDB file: the parts of one commit, in one transaction. */

import { appendedRows } from './commit-rows.ts'
import type { DuckDBFile } from './file.ts'
import { deadLettersIn, landedIn } from './lookups.ts'
import { LOOKUP_STATEMENTS } from './schema.ts'
import type { Commit, Loading } from '../warehouse/warehouse.ts'

/** Runs `work` in a transaction. Returns the last part, or null if there was none. `check` is called
 * with each part before it is written. */
export async function loadParts(
  file: DuckDBFile,
  work: (loading: Loading) => Promise<void>,
  check: (part: Commit) => void,
): Promise<Commit | null> {
  let last: Commit | null = null
  await file.run(LOOKUP_STATEMENTS.join(';\n'))
  const add = async (part: Commit) => {
    check(part)
    last = part
    await appendCommit(file, part)
  }
  await file.transaction(() =>
    work({
      add,
      landed: (eventIds, hashes) => landedIn(file, eventIds, hashes),
      deadLetters: (ids) => deadLettersIn(file, ids),
    }),
  )
  return last
}

/** Appends the rows of a commit, within the open transaction. */
export async function appendCommit(file: DuckDBFile, commit: Commit): Promise<void> {
  await file.appendAll(appendedRows(commit))
}
