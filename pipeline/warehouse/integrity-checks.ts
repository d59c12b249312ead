/**
 * The checks of `sql/checks/`: queries that return no row when the tables are sound. A text opens
 * with what a row of it would mean.
 */

import { readdirSync, readFileSync } from 'node:fs'
import type { Row, Warehouse } from './warehouse.ts'

const DIR = new URL('../../sql/checks/', import.meta.url)

/** Rows shown of a failed check; one more is asked for, to tell that there are more. */
export const ROWS_SHOWN = 5

export type FailedCheck = { name: string; meaning: string; rows: Row[] }

/** Asks them all. */
export async function failedChecks(
  warehouse: Warehouse,
): Promise<{ asked: number; failed: FailedCheck[] }> {
  const files = readdirSync(DIR)
    .filter((file) => file.endsWith('.sql'))
    .sort()
  const failed: FailedCheck[] = []
  for (const file of files) {
    const text = readFileSync(new URL(file, DIR), 'utf8').trim()
    const rows = await warehouse.query(`select * from (\n${text}\n) limit ${ROWS_SHOWN + 1}`)
    if (rows.length > 0) {
      failed.push({ name: file.slice(0, -'.sql'.length), meaning: meaningOf(text), rows })
    }
  }
  return { asked: files.length, failed }
}

/** The comment a text opens with, as one line. */
function meaningOf(text: string): string {
  const end = text.search(/^[^-]/m)
  return text.slice(0, end).replaceAll(/^-- ?/gm, '').replaceAll('\n', ' ').trim()
}
