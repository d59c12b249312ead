/** Head of a warehouse, and the error for a missing warehouse. Shared by all engines. */

import { UserError } from '../base/errors.ts'
import type { Head, Row } from './warehouse.ts'

/** Head of a warehouse without batches. */
export const NO_HEAD: Head = { batch: 0, recordedAt: 0, watermark: null }

/** Reads the head. `query` runs SQL in the warehouse. */
export async function readHead(query: (sql: string) => Promise<Row[]>): Promise<Head> {
  const [last] = await query(
    'select batch, recorded_at, watermark from batches order by batch desc limit 1',
  )
  if (last === undefined) return NO_HEAD
  return {
    batch: last['batch'] as number,
    recordedAt: last['recorded_at'] as number,
    watermark: last['watermark'] as number | null,
  }
}

/** Next step for a warehouse that this version of the program cannot read. */
export const LOAD_AGAIN =
  'load the original events into a new warehouse, npm start -- --warehouse duckdb:NEW.duckdb FILE'

/** Returns the missing-warehouse error, with the command that creates one. */
export function noWarehouse(url: string): UserError {
  const args = ['--warehouse', url, 'FILE']
  const what = `no warehouse at ${url}: check the name, or create it`
  return new UserError(what, 1, { script: 'start', args })
}
