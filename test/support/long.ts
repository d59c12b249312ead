/**
 * Tests of minutes: kills of whole commands, full disks, long pages. `LONG_TESTS=1` runs them, as
 * CI does; without it they are skipped, and the configuration of vitest prints one line.
 */

export const isLong = process.env['LONG_TESTS'] === '1'
