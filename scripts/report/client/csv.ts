/** Rows as a CSV file. */

import { csvLine } from '../../../pipeline/base/text.ts'
import type { BlockRows } from './block-rows.ts'

/** A line of titles and a line for each row. */
export function csvOf({ titles, rows }: BlockRows): string {
  return [titles, ...rows].map(csvLine).join('')
}
