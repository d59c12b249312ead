/**
 * Tests of minutes: kills of whole commands, full disks, long pages. `LONG_TESTS=1` runs them, as
 * CI does; without it they are skipped, and the configuration of vitest prints one line.
 */

export const isLong = process.env['LONG_TESTS'] === '1'

/** Returns the number of random runs: the variable, or `long` with `LONG_TESTS=1`, or `short`. */
export function runsOf(variable: string, short: number, long: number): number {
  return Number(process.env[variable] ?? (isLong ? long : short))
}
