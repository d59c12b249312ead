/**
 * Commands that are printed as a next step. They include the warehouse and the definitions folder of
 * the current run, so they can be pasted as they are.
 */

import { commandLine, type NextCommand } from '../../pipeline/base/errors.ts'
import { WAREHOUSE_DEFAULT } from '../../pipeline/warehouse-url.ts'

/** Commands that read the folder of definitions. */
const READS_FOLDER = new Set(['start', 'replay', 'describe', 'cohort'])
/** Commands that have no warehouse. */
const WITHOUT_WAREHOUSE = new Set(['generate', 'peers', 'package', 'deploy', 'bench'])

/** Warehouse and definitions folder of the current run, as given or as found. */
export type Present = { warehouse?: string | undefined; definitions?: string | undefined }

let present: Present = {}

/** Sets the options of printed commands. `definitions` is the folder given on the command line. */
export function setPresent(run: Present): void {
  present = run
}

/** Returns a command line with the warehouse and the folder of the current run. */
export function nextLine(script: string, ...args: string[]): string {
  return lineInPresent({ script, args })
}

/** Returns the present command line with more options. */
export function lineAgain(script: string, ...options: string[]): string {
  return nextLine(script, ...process.argv.slice(2), ...options)
}

/** Returns the last line of a plan: the command that carries it out. */
export function carryOutLine(script: string, ...options: string[]): string {
  return `nothing has been changed; to do it: ${lineAgain(script, '--yes', ...options)}`
}

export function lineInPresent({ script, args }: NextCommand): string {
  const { warehouse, definitions } = present
  const more: string[] = []
  const isGiven = (option: string) => args.some((arg) => arg.startsWith(option))
  const hasWarehouse = warehouse !== undefined && warehouse !== WAREHOUSE_DEFAULT
  if (hasWarehouse && !isGiven('--warehouse') && !WITHOUT_WAREHOUSE.has(script)) {
    more.push('--warehouse', warehouse)
  }
  if (definitions !== undefined && !isGiven('--definitions') && READS_FOLDER.has(script)) {
    more.push('--definitions', definitions)
  }
  // The usual order: action, options, files.
  const verb = args.findIndex((arg) => arg.startsWith('-') || /[A-Z./]/.test(arg))
  const at = script === 'start' ? (verb < 0 ? args.length : verb) : args.length
  return commandLine({ script, args: [...args.slice(0, at), ...more, ...args.slice(at)] })
}
