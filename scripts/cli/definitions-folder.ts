/** Folder of definitions that a command reads. A warehouse remembers the folder it was last given. */

import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { now } from '../../pipeline/base/clock.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import { DEFINITIONS_DEFAULT } from '../../pipeline/config.ts'
import { lastFolder, rememberFolder } from '../../pipeline/warehouse/definitions-folder.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'

export const DEFINITIONS_HELP =
  'folder of identity, sessions, events, journeys, funnels and cohorts (default: the one this ' +
  `warehouse was last given, or ${DEFINITIONS_DEFAULT})`

/** Returns the given folder, or else the one that the open warehouse was last given, or else
 * `definitions`. Throws a `UserError` if the remembered folder no longer exists. */
export async function folderOf(warehouse: Warehouse, given: string | undefined): Promise<string> {
  if (given !== undefined) return given
  const last = await lastFolder(warehouse)
  if (last === null || last === resolve(DEFINITIONS_DEFAULT)) return DEFINITIONS_DEFAULT
  const found = await stat(last).catch(() => null)
  if (found?.isDirectory() === true) return last
  throw new UserError(
    `${warehouse.url} was last given the definitions in ${last}, and that folder does not exist: ` +
      'give another with --definitions DIR',
  )
}

/** Records the folder that definitions were read from. The warehouse must be open. */
export function remember(warehouse: Warehouse, folder: string): Promise<void> {
  return rememberFolder(warehouse, resolve(folder), now())
}
