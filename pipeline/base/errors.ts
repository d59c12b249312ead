/**
 * Kinds of failure.
 *
 * Bad data is not an error: it is a value with a reason (see `event-batch.ts`), stored and counted.
 * `UserError` is a failure that the user can fix: the message names the value and the next command.
 * `assert` is for broken invariants: the process ends, because continuing would write wrong tables.
 */

/** Failure that the user can fix. `exitCode` is 2 for invalid arguments, 1 for everything else. */
export class UserError extends Error {
  readonly exitCode: 1 | 2

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message)
    this.name = 'UserError'
    this.exitCode = exitCode
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
