/**
 * The folder that definitions were last read from. Only a run, a replay and a description read it;
 * everything else uses the definitions on record.
 */

import { arrowTable } from './arrow/arrow.ts'
import type { Warehouse } from './warehouse.ts'

/** Returns the absolute path of the folder that was given last, or null. The warehouse is open. */
export async function lastFolder(warehouse: Warehouse): Promise<string | null> {
  const [row] = await warehouse.query(
    'select path from definitions_folder order by recorded_at desc limit 1',
  )
  return (row?.['path'] ?? null) as string | null
}

/** Records the absolute path of a folder if it is not the last one. `at` is in microseconds. */
export async function rememberFolder(
  warehouse: Warehouse,
  path: string,
  at: number,
): Promise<void> {
  if ((await lastFolder(warehouse)) === path) return
  const row = arrowTable('definitions_folder', { path: [path] }, 1)
  await warehouse.append('definitions_folder', row, at)
}
