/**
 * `tsx scripts/judge.ts TOOL …`: runs a judge of the code, a compiler or a linter, that
 * `npm run peers -- tools` has installed. Its exit code is ours.
 */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const [tool = '', ...args] = process.argv.slice(2)
const path = join('.peers', 'node_modules', '.bin', tool)
if (existsSync(path)) {
  process.exitCode = spawnSync(path, args, { stdio: 'inherit' }).status ?? 1
} else {
  process.stderr.write(`error: ${tool} is not installed: npm run peers -- tools\n`)
  process.exitCode = 1
}
