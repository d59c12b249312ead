/** Runs a program of this project as a process and measures its CPU time and memory. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { elapsedMs } from '../../pipeline/base/clock.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import { onInterrupt } from '../cli/interrupt.ts'

/** Environment variable with the file that `report-usage.js` writes the usage to. */
const USAGE_VARIABLE = 'DESIRE_PATH_BENCH_USAGE'

/** CPU of all threads and peak memory of a process, and its wall time from start to exit. */
export type Usage = { cpuMs: number; peakBytes: number; wallMs: number }

/** Runs a program as its users run it and returns its usage, which it writes to `usageFile`. The
 * program ends with this command if that is interrupted. */
export async function runProgram(
  script: string,
  args: readonly string[],
  usageFile: string,
): Promise<Usage> {
  const startedAt = elapsedMs()
  const program = ['--import', './scripts/bench/report-usage.js', 'scripts/run.js', script]
  const child = spawn(process.execPath, [...program, ...args], {
    stdio: 'ignore',
    env: { ...process.env, [USAGE_VARIABLE]: usageFile },
  })
  const off = onInterrupt(() => child.kill('SIGKILL'))
  try {
    const [code] = (await once(child, 'exit')) as [number | null]
    if (code !== 0) throw new UserError(`${script} ended with exit code ${String(code)}`)
  } finally {
    off()
  }
  const wallMs = elapsedMs() - startedAt
  return { ...(JSON.parse(readFileSync(usageFile, 'utf8')) as Omit<Usage, 'wallMs'>), wallMs }
}
