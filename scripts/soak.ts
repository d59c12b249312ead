/**
 * `npm run soak -- --minutes 30`: runs a worker over simulated days of the sample shop and disturbs
 * it with kills, restarts, redelivered messages, late events, merges of people, erasures and
 * replays. It then verifies all tables, runs the checks of `sql/checks/`, and compares the growth of
 * the last third of the run with that of the middle one. The data is in a temporary directory.
 *
 * Exit 0: all checks passed; 1: a check failed; 2: wrong arguments.
 */

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UserError } from '../pipeline/base/errors.ts'
import { command, main } from './cli/command.ts'
import { withTemporary } from './cli/temporary.ts'
import { Soak } from './soak/soak.ts'

const MINUTES_MAX = 24 * 60

const program = command('npm run soak', 'Runs a disturbed worker for minutes, then verifies.')
  .option('--minutes <count>', 'approximate duration, minutes', '30')
  .option('--seed <number>', 'seed of the sample shop and of the disturbances', '1')
  .action(async (options: { minutes: string; seed: string }) => {
    const minutes = wholeOf('--minutes', options.minutes, MINUTES_MAX)
    const seed = wholeOf('--seed', options.seed, Number.MAX_SAFE_INTEGER)
    const dir = mkdtempSync(join(tmpdir(), 'desire-path-soak-'))
    await withTemporary(dir, () => new Soak(dir, minutes, seed).run())
  })

function wholeOf(option: string, text: string, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : 0
  if (value >= 1 && value <= max) return value
  throw new UserError(
    `${option} ${JSON.stringify(text)} is not valid: use a whole number from 1 to ${max}, ` +
      `for example npm run soak -- ${option} 5`,
    2,
  )
}

await main(program)
