/**
 * The warehouse of a command that was given none: your own, `journeys.duckdb`, or else the sample,
 * with a printed line. The sample has a file of its own, so it never mixes with your events.
 */

import { existsSync } from 'node:fs'
import { WAREHOUSE_DEFAULT } from '../../pipeline/warehouse-url.ts'
import { note } from './output.ts'

export const SAMPLE_WAREHOUSE = 'duckdb:sample.duckdb'

/** Whether the file of a DuckDB warehouse exists. */
export function isThere(url: string): boolean {
  return existsSync(url.slice(url.indexOf(':') + 1))
}

/** Returns the warehouse to read, and prints a line if it is the sample. */
export function defaultWarehouseToRead(): string {
  if (isThere(WAREHOUSE_DEFAULT) || !isThere(SAMPLE_WAREHOUSE)) return WAREHOUSE_DEFAULT
  note(
    'no --warehouse was given and journeys.duckdb does not exist: ' +
      `using the sample, --warehouse ${SAMPLE_WAREHOUSE}`,
  )
  return SAMPLE_WAREHOUSE
}
