/**
 * Kinds of failure.
 *
 * Bad data is not an error: it is a value with a reason (see `event-batch.ts`), stored and counted.
 * `UserError` is a failure that the user can fix: the message names the value and the next command.
 * `assert` is for broken invariants: the process ends, because continuing would write wrong tables.
 */

import { shellWord } from './text.ts'

/** Command of this project: its script name in `package.json` and its arguments. */
export type NextCommand = { script: string; args: readonly string[] }

/** Returns a command as one line that can be pasted into a shell. */
export function commandLine({ script, args }: NextCommand): string {
  const run = script === 'start' ? 'npm start' : `npm run ${script}`
  return args.length === 0 ? run : `${run} -- ${args.map(shellWord).join(' ')}`
}

/**
 * Failure that the user can fix. `exitCode` is 2 for invalid arguments, 1 for everything else. The
 * message ends with the next command, if there is one. The command line adds the options of the
 * present run to it.
 */
export class UserError extends Error {
  readonly exitCode: 1 | 2
  readonly next: NextCommand | null
  readonly #what: string

  constructor(what: string, exitCode: 1 | 2 = 1, next: NextCommand | null = null) {
    super(next === null ? what : `${what}: ${commandLine(next)}`)
    this.name = 'UserError'
    this.exitCode = exitCode
    this.next = next
    this.#what = what
  }

  /** Returns the message with another line in the place of the next command. */
  withLine(lineOf: (next: NextCommand) => string): string {
    return this.next === null ? this.#what : `${this.#what}: ${lineOf(this.next)}`
  }
}

/** Throws if `condition` is false, which is a defect of this program and not of its input. */
export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${invariant}`)
}

/** Returns the message of a thrown value. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
