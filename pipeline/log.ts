/** What unattended programs say: one JSON object a line, with the members log collectors know. */

import { formatInstant, now } from './clock.ts'
import type { Retry } from './retry.ts'

export type Severity = 'INFO' | 'WARNING' | 'ERROR'
export type Fields = { [field: string]: string | number | boolean | null }
export type Log = (severity: Severity, message: string, fields?: Fields) => void

export const log: Log = (severity, message, fields = {}) => {
  const line = { severity, time: formatInstant(now()), message, ...fields }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** For `onRetry`: which fault is tried again, and when. */
export function logRetry({ what, fault, attempt, waitMs }: Retry): void {
  log('WARNING', `${what} failed, trying again`, { fault, attempt, wait_ms: waitMs })
}
