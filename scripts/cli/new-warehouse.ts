/**
 * The default warehouse of a first run. A run that reads nothing leaves no file, because every
 * command without `--warehouse` would read that file from then on.
 */

import { rmSync } from 'node:fs'
import { stateDirOf } from '../../pipeline/config.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { isThere, SAMPLE_WAREHOUSE } from './default-warehouse.ts'
import { note } from './output.ts'

/** Closes a warehouse and, if this run created it and read no line, removes its files. */
export async function closeUsed(warehouse: Warehouse, isNew: boolean): Promise<void> {
  const isUnused = isNew && (await hasReadNothing(warehouse))
  await warehouse.close()
  if (!isUnused) return
  const file = warehouse.url.slice('duckdb:'.length)
  for (const path of [file, `${file}.wal`, stateDirOf(warehouse)]) {
    if (path !== undefined) rmSync(path, { recursive: true, force: true })
  }
}

/** Returns false if the warehouse cannot answer: its files are kept then. */
async function hasReadNothing(warehouse: Warehouse): Promise<boolean> {
  try {
    const read = await warehouse.query('select batch from batches where read_count > 0 limit 1')
    return read.length === 0
  } catch {
    return false
  }
}

/** Notes that a new warehouse, which has only refused lines, takes the place of the sample. */
export function noteDefault(url: string): void {
  if (!isThere(SAMPLE_WAREHOUSE)) return
  note(
    `commands without --warehouse now read ${url}, which has no events yet; ` +
      `for the sample, add --warehouse ${SAMPLE_WAREHOUSE}`,
  )
}
