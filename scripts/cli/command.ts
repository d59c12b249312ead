/**
 * Shared frame of all commands: turns a failure into one line and an exit code, and adds common
 * options. The only file that knows the command line library.
 *
 * Exit codes: 0 done, 1 failed, 2 wrong arguments.
 */

import { Command, CommanderError } from 'commander'
import { WAREHOUSE_DEFAULT } from '../../pipeline/warehouse-url.ts'
import { messageOf, UserError } from '../../pipeline/base/errors.ts'
import { printableLines } from '../../pipeline/base/text.ts'
import { defaultWarehouseToRead } from './default-warehouse.ts'
import { endOnInterrupt } from './interrupt.ts'
import { lineAgain, lineInPresent, nextLine, setPresent, type Present } from './next-command.ts'
import { refuseKeptOptions } from './npm-options.ts'
import { note } from './output.ts'

export type { Command }

/** Returns a command with `--help`. `name` is the command as it is typed. */
export function command(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .configureHelp({ commandUsage })
    .showHelpAfterError(false)
}

/** Returns the usage line with `--`, because npm keeps the options before it. */
function commandUsage(of: Command): string {
  const names: string[] = []
  for (let each: Command | null = of; each !== null; each = each.parent) names.unshift(each.name())
  const [program = '', ...rest] = names
  return [program, '--', ...rest, of.usage()].join(' ')
}

/** Returns a command that reads or writes an existing warehouse. */
export function warehouseCommand(name: string, description: string): Command {
  return warehouseOption(command(name, description)).hook('preAction', (of) => {
    const { warehouse } = of.opts<{ warehouse?: string }>()
    if (warehouse === undefined) of.setOptionValue('warehouse', defaultWarehouseToRead())
    setPresent(of.opts<Present>())
  })
}

/** Adds `--warehouse` to a command, without a default. */
export function warehouseOption(of: Command): Command {
  return of.option(
    '--warehouse <url>',
    `warehouse of the tables, duckdb:PATH or bigquery:PROJECT.DATASET (default: ${WAREHOUSE_DEFAULT})`,
  )
}

/** Runs a command to its end and sets the exit code. Never throws. A closed output pipe (`head`) is
 * not a failure. */
export async function main(program: Command): Promise<void> {
  let isReported = false
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || isReported) return
    isReported = true
    process.stderr.write(`error: the output could not be written: ${error.message}\n`)
    process.exitCode = 1
  })
  setPresent({})
  program.hook('preAction', (_, action) => {
    setPresent(action.opts<Present>())
    endOnInterrupt(() => outcomeOf(action))
  })
  try {
    refuseKeptOptions(program, process.argv.slice(2), process.env)
    await program.parseAsync()
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      if (thrown.exitCode === 0) return
      process.exitCode = 2
      // A command without its subcommand has printed its help.
      if (thrown.code === 'commander.help') return
      const message = thrown.message
        .replace(/\.$/, '')
        .replace(/\n\(Did you mean (.+)\)$/, '; did you mean $1')
      note(`${message}${message.endsWith('?') ? '' : ';'} see ${program.name()} -- --help`)
      return
    }
    const message = thrown instanceof UserError ? thrown.withLine(lineInPresent) : messageOf(thrown)
    process.stderr.write(`error: ${printableLines(message)}\n`)
    if (!(thrown instanceof UserError) && process.env['DESIRE_PATH_DEBUG'] !== undefined) {
      process.stderr.write(`${thrown instanceof Error ? thrown.stack : ''}\n`)
    }
    process.exitCode = thrown instanceof UserError ? thrown.exitCode : 1
  }
}

/** Returns what an interrupted command has committed, and how to continue. */
function outcomeOf(action: Command): string {
  const script = scriptOf(action)
  const line = lineAgain(script)
  const check = REWRITES[script]
  if (STEPWISE.has(script))
    return `finished steps are kept and skipped next time; to continue: ${line}`
  if (check === undefined) return `nothing has been changed; to run it again: ${line}`
  return `either everything or nothing is committed; to see which: ${nextLine(...check)}; to run it again: ${line}`
}

function scriptOf(action: Command): string {
  let top = action
  while (top.parent !== null) top = top.parent
  return top.name().replace(/^npm (run )?/, '')
}

/** Commands that change a warehouse in one commit, each with the command that shows the result. */
const REWRITES: { [script: string]: readonly [string, ...string[]] } = {
  replay: ['release', 'status'],
  release: ['release', 'status'],
  forget: ['status'],
  identity: ['status'],
  cohort: ['cohort', 'list'],
  'dead-letters': ['status'],
  compact: ['status'],
}

/** Commands that continue after the steps that are done. */
const STEPWISE = new Set(['deploy', 'migrate', 'package', 'peers', 'generate'])
