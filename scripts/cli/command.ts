/**
 * What all commands share: the frame that turns a failure into one line and an exit code, and the
 * options they have in common. The only file that knows the command line library.
 *
 * Exit codes: 0 done, 1 failed, 2 wrong arguments.
 */

import { Command, CommanderError } from 'commander'
import { WAREHOUSE_DEFAULT } from '../../pipeline/config.ts'
import { messageOf, UserError } from '../../pipeline/base/errors.ts'

export type { Command }

/** A command named as it is typed, with `--help`. */
export function command(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .configureHelp({ commandUsage })
    .showHelpAfterError(false)
}

/** As it is typed: npm keeps for itself what stands before `--`. */
function commandUsage(of: Command): string {
  const names: string[] = []
  for (let each: Command | null = of; each !== null; each = each.parent) names.unshift(each.name())
  const [program = '', ...rest] = names
  return [program, '--', ...rest, of.usage()].join(' ')
}

/** The same, for commands that read or write a warehouse. */
export function warehouseCommand(name: string, description: string): Command {
  return command(name, description).option(
    '--warehouse <url>',
    'where the tables are, duckdb:PATH or bigquery:PROJECT.DATASET',
    WAREHOUSE_DEFAULT,
  )
}

/** Runs a command to its end and sets the exit code; never throws. A reader of its output that
 * has seen enough, as `head` has, is no failure. */
export async function main(program: Command): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return
    process.stderr.write(`error: the output could not be written: ${error.message}\n`)
    process.exitCode = 1
  })
  try {
    await program.parseAsync()
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      if (thrown.exitCode === 0) return
      process.exitCode = 2
      // Of a command without the word that says what to do, the help has been printed.
      if (thrown.code === 'commander.help') return
      const message = thrown.message.replace(/\.$/, '')
      process.stderr.write(`${message}; see ${program.name()} -- --help\n`)
      return
    }
    process.stderr.write(`error: ${messageOf(thrown)}\n`)
    if (!(thrown instanceof UserError) && process.env['DESIRE_PATH_DEBUG'] !== undefined) {
      process.stderr.write(`${thrown instanceof Error ? thrown.stack : ''}\n`)
    }
    process.exitCode = thrown instanceof UserError ? thrown.exitCode : 1
  }
}

/** Aborted at the first Ctrl-C or SIGTERM; the second ends the process at once. */
export function interruption(onFirst: () => void): AbortSignal {
  const controller = new AbortController()
  const stop = () => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort()
    onFirst()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return controller.signal
}
