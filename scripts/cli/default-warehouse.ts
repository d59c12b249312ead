/**
 * Default of `--warehouse`: your own `journeys.duckdb`, or else the sample, which is noted. The
 * sample has its own file, so it never mixes with your events.
 */

import { existsSync } from 'node:fs'
import { WAREHOUSE_DEFAULT } from '../../pipeline/warehouse-url.ts'
import { note } from './output.ts'

export const SAMPLE_WAREHOUSE = 'duckdb:sample.duckdb'

/** Returns whether the file of a DuckDB warehouse exists. */
export function isThere(url: string): boolean {
  return existsSync(url.slice(url.indexOf(':') + 1))
}

/** Returns the default warehouse to read, and prints a note if it is the sample. */
export function defaultWarehouseToRead(): string {
  if (isThere(WAREHOUSE_DEFAULT) || !isThere(SAMPLE_WAREHOUSE)) return WAREHOUSE_DEFAULT
  note(
    'no --warehouse was given and journeys.duckdb does not exist: ' +
      `using the sample, --warehouse ${SAMPLE_WAREHOUSE}`,
  )
  return SAMPLE_WAREHOUSE
}
