/** What unattended programs say: one JSON object a line, in the members that log collectors read. */

import { formatInstant, now } from './clock.ts'

export type Severity = 'INFO' | 'WARNING' | 'ERROR'
export type Fields = { [field: string]: string | number | boolean | null }
export type Log = (severity: Severity, message: string, fields?: Fields) => void

export const log: Log = (severity, message, fields = {}) => {
  const line = { severity, time: formatInstant(now()), message, ...fields }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
