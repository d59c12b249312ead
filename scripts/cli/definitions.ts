/** Loads definitions for the commands, with warnings on standard error. */

import { loadDefinitions, type Definitions } from '../../pipeline/definition/load.ts'
import { note } from './output.ts'

/** Reads a folder of definitions and prints its warnings. Throws as `loadDefinitions` does. */
export async function definitionsIn(dir: string): Promise<Definitions> {
  const { warnings, ...definitions } = await loadDefinitions(dir)
  showWarnings(warnings)
  return definitions
}

/** Prints warnings on standard error, one a line. */
export function showWarnings(warnings: readonly string[]): void {
  for (const warning of warnings) note(`warning: ${warning}`)
}
