/**
 * What unattended programs say: one JSON object a line, with the members log collectors know.
 * Lines go through the process's own stream, where Functions Framework adds which invocation said
 * it, and whose loss of a reader the commands know of.
 */

import { pino } from 'pino'
import { formatInstant, now } from './clock.ts'
import type { Retry } from './retry.ts'

export type Severity = 'INFO' | 'WARNING' | 'ERROR'
export type Fields = { [field: string]: string | number | boolean | null }
export type Log = (severity: Severity, message: string, fields?: Fields) => void

/** Cloud Logging's names of the library's levels. */
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

/** For `onRetry`: which fault is tried again, and when. */
export function logRetry({ what, fault, attempt, waitMs }: Retry): void {
  log('WARNING', `${what} failed, trying again`, { fault, attempt, wait_ms: waitMs })
}
