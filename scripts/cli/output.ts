/** Prints lines on standard output and standard error, with control characters escaped. */

import { printable } from '../../pipeline/base/text.ts'

/** Prints lines on standard output. */
export function say(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${printable(line)}\n`).join(''))
}

/** Prints a line on standard error. */
export function note(line: string): void {
  process.stderr.write(`${printable(line)}\n`)
}

/** Prints one JSON value on a line. JSON escapes control characters itself. */
export function sayJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}
