/**
 * The checks of `sql/checks/`: queries that return no row when the tables are sound. A text opens
 * with what a row of it would mean.
 */

import { sqlFiles } from './sql-files.ts'
import type { Row, Warehouse } from './warehouse.ts'

/** Rows shown of a failed check; one more is asked for, to tell that there are more. */
export const ROWS_SHOWN = 5

export type FailedCheck = { name: string; meaning: string; rows: Row[] }

/** Asks them all. */
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

/** The comment a text opens with, as one line. */
function meaningOf(text: string): string {
  const end = text.search(/^[^-]/m)
  return text.slice(0, end).replaceAll(/^-- ?/gm, '').replaceAll('\n', ' ').trim()
}
