/**
 * `npm run peers`: installs the heavy judges of the tests into `.peers/`, pinned. They are no
 * dependencies: tests ask them when they are there and say so when they are not, and with
 * REQUIRE_PEERS=1 their absence is a failure. Run again, it looks and does nothing.
 *
 * - chdb is ClickHouse in a process: its own `windowFunnel` judges ours.
 * - zetasql is the parser and analyzer of BigQuery's dialect: it judges every shared SQL text.
 * - bqemulator answers as BigQuery does, over the wire. It is a Python program: it needs Python
 *   3.11 or later with `venv`, and where that is not it is left out, in words.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { messageOf, UserError } from '../pipeline/errors.ts'
import { command, main } from './command.ts'

const DIR = '.peers'
const PEERS: { [name: string]: string } = {
  '@fivetrandevelopers/zetasql': '1.13.0',
  chdb: '3.4.0',
}

const PYTHON_DIR = join(DIR, 'bigquery')
/** Extensions of the database inside are loaded from its home, where they are put from here. */
const PYTHON_HOME = 'home'
const EXTENSIONS = ['spatial', 'avro']
const PYTHON_PEERS: { [name: string]: string } = {
  'bqemulator[udf-js]': '1.4.0',
  sqlglot: '30.11.0',
  duckdb: '1.5.5',
  'duckdb-extensions': '1.5.5',
  ...Object.fromEntries(EXTENSIONS.map((name) => [`duckdb-extension-${name}`, '1.5.5'])),
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

/** Says what was installed last, so that a look is enough the next time. */
const STAMP = join(PYTHON_DIR, 'peers.json')

function installPython(): void {
  const wanted = JSON.stringify(PYTHON_PEERS)
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return
  const run = (program: string, args: string[], env = process.env) =>
    execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'], env })
  const home = resolve(PYTHON_DIR, PYTHON_HOME)
  const pinned = Object.entries(PYTHON_PEERS).map(([name, version]) => `${name}==${version}`)
  const python = join(PYTHON_DIR, 'bin', 'python')
  const names = JSON.stringify(EXTENSIONS)
  const place = `import duckdb_extensions as e; [e.import_extension(n) for n in ${names}]`
  mkdirSync(home, { recursive: true })
  run('python3', ['-m', 'venv', PYTHON_DIR])
  run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...pinned])
  run(python, ['-c', place], { ...process.env, HOME: home })
  writeFileSync(STAMP, wanted)
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
  try {
    installPython()
    pinned.push(...Object.entries(PYTHON_PEERS))
  } catch (thrown) {
    process.stderr.write(`bqemulator is left out: ${messageOf(thrown).split('\n')[0]}\n`)
  }
  for (const [name, version] of pinned) process.stdout.write(`${name} ${version}\n`)
})

await main(program)
