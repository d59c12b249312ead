/**
 * Checks of `sql/checks/`: queries that return no rows for intact tables. Each text starts with a
 * comment that explains its rows.
 */

import { sqlFiles } from './sql-files.ts'
import type { Row, Warehouse } from './warehouse.ts'

/** Rows shown per failed check. One more is read, to detect further rows. */
export const ROWS_SHOWN = 5

export type FailedCheck = { name: string; meaning: string; rows: Row[] }

/** Runs all checks. */
export async function failedChecks(
  warehouse: Warehouse,
): Promise<{ asked: number; failed: FailedCheck[] }> {
  const checks = sqlFiles('checks')
  const failed: FailedCheck[] = []
  for (const { name, text } of checks) {
    const rows = await warehouse.query(`select * from (\n${text}\n) limit ${ROWS_SHOWN + 1}`)
    if (rows.length > 0) failed.push({ name, meaning: meaningOf(text), rows })
  }
  return { asked: checks.length, failed }
}

/** Returns the comment at the start of a text, as one line. */
function meaningOf(text: string): string {
  const end = text.search(/^[^-]/m)
  return text.slice(0, end).replaceAll(/^-- ?/gm, '').replaceAll('\n', ' ').trim()
}
