/**
 * `npm run peers`: installs the heavy judges of the tests into `.peers/`, pinned. They are no
 * dependencies: tests ask them when they are there and say so when they are not, and with
 * REQUIRE_PEERS=1 their absence is a failure. Run again, it looks and does nothing.
 *
 * - chdb is ClickHouse in a process: its own `windowFunnel` judges ours.
 * - zetasql is the parser and analyzer of BigQuery's dialect: it judges every shared SQL text.
 */

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, UserError } from '../pipeline/errors.ts'
import { command, main } from './command.ts'

const DIR = '.peers'
const PEERS: { [name: string]: string } = {
  '@fivetrandevelopers/zetasql': '1.13.0',
  chdb: '3.4.0',
}

/** The version that is installed, or null. */
function installed(name: string): string | null {
  try {
    const manifest = readFileSync(join(DIR, 'node_modules', name, 'package.json'), 'utf8')
    return (JSON.parse(manifest) as { version: string }).version
  } catch {
    return null
  }
}

const program = command('npm run peers', 'Installs the heavy judges of the tests.').action(() => {
  const pinned = Object.entries(PEERS)
  const missing = pinned.filter(([name, version]) => installed(name) !== version)
  if (missing.length > 0) {
    mkdirSync(DIR, { recursive: true })
    const manifest = { name: 'peers', private: true, dependencies: PEERS }
    writeFileSync(join(DIR, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
    try {
      const install = ['install', '--no-audit', '--no-fund', '--loglevel=error']
      execFileSync('npm', install, { cwd: DIR, stdio: ['ignore', 'ignore', 'inherit'] })
    } catch (thrown) {
      throw new UserError(`the peers cannot be installed: ${messageOf(thrown)}`)
    }
  }
  for (const [name, version] of pinned) process.stdout.write(`${name} ${version}\n`)
})

await main(program)
