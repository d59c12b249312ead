/**
 * Logs of unattended programs: one JSON object per line, with the members that log collectors
 * expect. Lines go through `process.stdout`: Functions Framework adds the invocation there, and the
 * commands handle a closed reader.
 */

import { pino } from 'pino'
import { formatInstant, now } from './clock.ts'
import type { Retry } from './retry.ts'

export type Severity = 'INFO' | 'WARNING' | 'ERROR'
export type Fields = { [field: string]: string | number | boolean | null }
export type Log = (severity: Severity, message: string, fields?: Fields) => void

/** Maps the library's levels to the names of Cloud Logging. */
const LEVELS = { INFO: 'info', WARNING: 'warn', ERROR: 'error' } as const
const SEVERITIES = new Map(
  Object.entries(LEVELS).map(([severity, label]) => [pino.levels.values[label], severity]),
)

const logger = pino(
  {
    base: null,
    messageKey: 'message',
    timestamp: () => `,"time":"${formatInstant(now())}"`,
    formatters: { level: (_label, level) => ({ severity: SEVERITIES.get(level) ?? 'DEFAULT' }) },
  },
  { write: (line: string) => void process.stdout.write(line) },
)

export const log: Log = (severity, message, fields = {}) =>
  logger[LEVELS[severity]](fields, message)

/** Logs a retry; use it as `onRetry`. */
export function logRetry({ what, fault, attempt, waitMs }: Retry): void {
  log('WARNING', `${what} failed, retrying`, { fault, attempt, wait_ms: waitMs })
}
