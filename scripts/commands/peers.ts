/**
 * `npm run peers`: installs the reference systems that some tests compare against into `.peers/`,
 * at pinned versions. They are large, so they are not dependencies. Tests are skipped with one line
 * if a system is missing, and fail if REQUIRE_PEERS=1. Installed systems are kept.
 *
 * - chdb is ClickHouse as a library. Tests compare funnels with its `windowFunnel`.
 * - zetasql is the parser and analyzer of BigQuery's dialect. Tests check every SQL file with it.
 * - bqemulator is a BigQuery server for tests. It needs Python 3.11 or later with `venv`, and is
 *   skipped with one line where Python is missing.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { messageOf, UserError } from '../../pipeline/base/errors.ts'
import { command } from '../cli/command.ts'

const DIR = '.peers'
type Pinned = { [name: string]: string }

const ENGINES: Pinned = {
  '@fivetrandevelopers/zetasql': '1.13.0',
  chdb: '3.4.0',
}

const PYTHON_DIR = join(DIR, 'bigquery')
/** Home folder from which the emulator's DuckDB loads its extensions. */
const PYTHON_HOME = 'home'
const EXTENSIONS = ['spatial', 'avro']
const PYTHON_PEERS: Pinned = {
  'bqemulator[udf-js]': '1.4.0',
  sqlglot: '30.11.0',
  duckdb: '1.5.5',
  'duckdb-extensions': '1.5.5',
  ...Object.fromEntries(EXTENSIONS.map((name) => [`duckdb-extension-${name}`, '1.5.5'])),
}

/** Returns the installed version, or null. */
function installed(name: string): string | null {
  try {
    const manifest = readFileSync(join(DIR, 'node_modules', name, 'package.json'), 'utf8')
    return (JSON.parse(manifest) as { version: string }).version
  } catch {
    return null
  }
}

/** Records the installed versions, so that they are not installed again. */
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

function installNode(): void {
  const missing = Object.entries(ENGINES).filter(([name, version]) => installed(name) !== version)
  if (missing.length === 0) return
  mkdirSync(DIR, { recursive: true })
  const manifest = { name: 'peers', private: true, dependencies: ENGINES }
  writeFileSync(join(DIR, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  try {
    const install = ['install', '--no-audit', '--no-fund', '--loglevel=error']
    execFileSync('npm', install, { cwd: DIR, stdio: ['ignore', 'ignore', 'inherit'] })
  } catch (thrown) {
    throw new UserError(`cannot install the reference systems: ${messageOf(thrown)}`)
  }
}

export const program = command(
  'npm run peers',
  'Installs the reference systems that some tests compare against.',
).action(() => {
  const installedSystems: Pinned = { ...ENGINES }
  installNode()
  try {
    installPython()
    Object.assign(installedSystems, PYTHON_PEERS)
  } catch (thrown) {
    const [why] = messageOf(thrown).split('\n')
    process.stderr.write(`skipped bqemulator: ${why}\n`)
  }
  for (const [name, version] of Object.entries(installedSystems)) {
    process.stdout.write(`${name} ${version}\n`)
  }
})
