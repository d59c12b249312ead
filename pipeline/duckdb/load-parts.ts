/** Load into a DuckDB file: the parts of one commit, in one transaction. */

import { appendedRows } from './commit-rows.ts'
import type { DuckDBFile } from './file.ts'
import { deadLettersIn, landedIn } from './lookups.ts'
import { LOG_MAX } from './resource-limits.ts'
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
      if (rows.numRows === 0) continue
      superseded.set(table, (superseded.get(table) ?? 0) + rows.numRows)
    }
  }
  const loading: Loading = {
    add,
    landed: (eventIds, hashes) => landedIn(file, eventIds, hashes),
    deadLetters: (ids) => deadLettersIn(file, ids),
  }
  const loaded = file.transaction(async () => {
    await work(loading)
    // A fold of superseded rows changes the tables once more, before they are written.
    await checkpointCommits(file, superseded.size === 0)
  })
  await loaded.finally(() => checkpointCommits(file, false))
  return { last, superseded }
}

/** Sets whether commits checkpoint: they write the tables and no log. A log of many rows costs more,
 * because the next checkpoint writes them again. */
function checkpointCommits(file: DuckDBFile, isOn: boolean): Promise<void> {
  return file.run(`set wal_autocheckpoint = '${isOn ? '0MB' : LOG_MAX}'`)
}

/** Appends the rows of a commit, within the open transaction. */
export async function appendCommit(file: DuckDBFile, commit: Commit): Promise<void> {
  await file.appendAll(appendedRows(commit))
}
