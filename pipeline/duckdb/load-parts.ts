/** Load into a DuckDB file: the parts of one commit, in one transaction. */

import { appendedRows } from './commit-rows.ts'
import type { DuckDBFile } from './file.ts'
import { deadLettersIn, landedIn } from './lookups.ts'
import { LOOKUP_STATEMENTS } from './schema.ts'
import type { VersionedName } from '../warehouse/tables.ts'
import type { Commit, Loading } from '../warehouse/warehouse.ts'

/** Runs `work` in a transaction. Returns the last part, or null if there was none, and the number of
 * superseded rows by table. `check` is called with each part before it is written. */
export async function loadParts(
  file: DuckDBFile,
  work: (loading: Loading) => Promise<void>,
  check: (part: Commit) => void,
): Promise<{ last: Commit | null; superseded: Map<VersionedName, number> }> {
  let last: Commit | null = null
  const superseded = new Map<VersionedName, number>()
  await file.run(LOOKUP_STATEMENTS.join(';\n'))
  const add = async (part: Commit) => {
    check(part)
    last = part
    await appendCommit(file, part)
    for (const [table, rows] of part.supersedes) {
      superseded.set(table, (superseded.get(table) ?? 0) + rows.numRows)
    }
  }
  await file.transaction(() =>
    work({
      add,
      landed: (eventIds, hashes) => landedIn(file, eventIds, hashes),
      deadLetters: (ids) => deadLettersIn(file, ids),
    }),
  )
  return { last, superseded }
}

/** Appends the rows of a commit, within the open transaction. */
export async function appendCommit(file: DuckDBFile, commit: Commit): Promise<void> {
  await file.appendAll(appendedRows(commit))
}
