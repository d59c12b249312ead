/**
 * The three ways this project fails, never mixed.
 *
 * A bad datum is no error: it is a value with a reason (see `batch.ts`), stored and counted.
 * `UserError` is something the person at the keyboard can put right: its message names the thing,
 * the value and the next command. `assert` is for what cannot be: a broken invariant ends the
 * process, because going on would write tables that are not what the law says.
 */

/** A failure the user can mend. `exitCode` 2 is for wrong arguments, 1 for everything else. */
export class UserError extends Error {
  readonly exitCode: 1 | 2

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message)
    this.name = 'UserError'
    this.exitCode = exitCode
  }
}

/** Ends the run when `condition` does not hold: a defect of this program, not of its input. */
export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${invariant}`)
}

/** The text of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
