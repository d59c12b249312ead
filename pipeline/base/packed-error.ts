/**
 * Errors in transit between threads. A thrown value that is posted as it is loses its class and its
 * members, and with them its exit code, its next command and whether it is transient.
 */

import { messageOf, UserError, type NextCommand } from './errors.ts'

/** Error as a message. */
export type PackedError = {
  message: string
  stack: string | undefined
  /** Code of a transient error, see `retry.ts`. */
  code: unknown
  user: { what: string; exitCode: 1 | 2; next: NextCommand | null } | null
}

export function packedError(thrown: unknown): PackedError {
  const { code, stack } = (thrown ?? {}) as { code?: unknown; stack?: string }
  const isPlain = typeof code === 'string' || typeof code === 'number'
  let user: PackedError['user'] = null
  if (thrown instanceof UserError) {
    const { what, exitCode, next } = thrown
    user = { what, exitCode, next }
  }
  return { message: messageOf(thrown), stack, code: isPlain ? code : undefined, user }
}

export function unpackedError({ message, stack, code, user }: PackedError): Error {
  if (user !== null) return new UserError(user.what, user.exitCode, user.next)
  const error = new Error(message)
  if (stack !== undefined) error.stack = stack
  return code === undefined ? error : Object.assign(error, { code })
}
