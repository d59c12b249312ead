/** Module preloaded into a measured program: writes its CPU time and peak memory to a file. */

import { writeFileSync } from 'node:fs'

process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  const usage = { cpuMs: (userCPUTime + systemCPUTime) / 1_000, peakBytes: maxRSS * 1_024 }
  writeFileSync(process.env['DESIRE_PATH_BENCH_USAGE'], JSON.stringify(usage))
})
