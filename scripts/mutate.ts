/**
 * `npm run mutate [-- GROUP…]`: changes the code in many small ways, one at a time, and runs the
 * quick tests of that part on each. A mutant that no test fails on has survived. Stryker is installed
 * into `.peers/mutation`, pinned, the first time: it is large, and only this command needs it.
 *
 * Exit 0: each group's score is 80 % or more; 1: not, or failed; 2: wrong arguments.
 */

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../pipeline/base/errors.ts'
import { command, main } from './cli/command.ts'
import { GROUPS, type Group } from './mutate/groups.ts'

const DIR = '.peers/mutation'
const PINNED = { '@stryker-mutator/core': '9.6.1', '@stryker-mutator/vitest-runner': '9.6.1' }
const CORE = join(DIR, 'node_modules/@stryker-mutator/core')
const RUNNER = `./${DIR}/node_modules/@stryker-mutator/vitest-runner/dist/src/index.js`
const SCORE_MIN = 80
/** Few runs of the law, always the same ones. */
const LAW = { LAW_RUNS: '4', FUNNEL_RUNS: '200', LAW_SEED: '7' }

const names = Object.keys(GROUPS)

const program = command('npm run mutate', 'Finds changes of the code that no test fails on.')
  .argument('[groups...]', `parts of the code to change: ${names.join(', ')} (default: all)`)
  .action((asked: string[]) => {
    const unknown = asked.find((name) => !names.includes(name))
    if (unknown !== undefined) {
      throw new UserError(`${unknown} is not a group: use one of ${names.join(', ')}`, 2)
    }
    install()
    const weak = (asked.length === 0 ? names : asked).filter((name) => !isStrong(name))
    if (weak.length > 0) throw new UserError(`under ${SCORE_MIN} %, or failed: ${weak.join(', ')}`)
  })

function install(): void {
  if (installedVersion() === PINNED['@stryker-mutator/core']) return
  mkdirSync(DIR, { recursive: true })
  const manifest = { name: 'mutation', private: true, dependencies: PINNED }
  writeFileSync(join(DIR, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error', '--legacy-peer-deps']
  execFileSync('npm', args, { cwd: DIR, stdio: ['ignore', 'ignore', 'inherit'] })
}

function installedVersion(): string | null {
  try {
    const manifest = readFileSync(join(CORE, 'package.json'), 'utf8')
    return (JSON.parse(manifest) as { version: string }).version
  } catch {
    return null
  }
}

/** Runs the group and prints what survived. */
function isStrong(name: string): boolean {
  const { files, tests } = GROUPS[name] as Group
  process.stdout.write(`\n${name}: ${files.join(', ')}\n`)
  const config = join(DIR, `${name}.json`)
  writeFileSync(config, JSON.stringify(optionsOf(name, files), null, 2))
  const { status } = spawnSync(process.execPath, [join(CORE, 'bin/stryker.js'), 'run', config], {
    env: { ...process.env, ...LAW, MUTATE_TESTS: tests.join(',') },
    stdio: 'inherit',
  })
  rmSync(join(DIR, `tmp-${name}`), { recursive: true, force: true })
  return status === 0
}

function optionsOf(name: string, files: readonly string[]): object {
  return {
    testRunner: 'vitest',
    plugins: [RUNNER],
    vitest: { configFile: 'vitest.mutate.config.ts', related: false },
    mutate: files,
    coverageAnalysis: 'perTest',
    concurrency: 1,
    ignorePatterns: ['.peers', 'dist', '*.duckdb*'],
    reporters: ['progress-append-only', 'clear-text', 'json'],
    jsonReporter: { fileName: join(DIR, `report-${name}.json`) },
    tempDirName: join(DIR, `tmp-${name}`),
    timeoutMS: 5_000,
    thresholds: { high: SCORE_MIN, low: SCORE_MIN, break: SCORE_MIN },
    // Stryker rewrites it with an API that this project's compiler does not have.
    tsconfigFile: 'none',
  }
}

await main(program)
