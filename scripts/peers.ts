/**
 * `npm run peers [-- tools]`: installs judges into `.peers/`, pinned. They are no dependencies, so
 * that installing the project stays light: tests ask them when they are there and say so when they
 * are not, and with REQUIRE_PEERS=1 their absence is a failure. Run again, it looks and does
 * nothing. `tools` are those of the code, small: the compiler, the linter, the browser's driver.
 *
 * - chdb is ClickHouse in a process: its own `windowFunnel` judges ours.
 * - zetasql is the parser and analyzer of BigQuery's dialect: it judges every shared SQL text.
 * - bqemulator answers as BigQuery does, over the wire. It is a Python program: it needs Python
 *   3.11 or later with `venv`, and where that is not it is left out, in words.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { messageOf, UserError } from '../pipeline/base/errors.ts'
import { command, main } from './command.ts'

const DIR = '.peers'
type Pinned = { [name: string]: string }

const TOOLS: Pinned = {
  oxlint: '1.94.0',
  'playwright-core': '1.65.1',
  typescript: '7.0.2',
}
const ENGINES: Pinned = {
  '@fivetrandevelopers/zetasql': '1.13.0',
  chdb: '3.4.0',
}

const PYTHON_DIR = join(DIR, 'bigquery')
/** Extensions of the database inside are loaded from its home, where they are put from here. */
const PYTHON_HOME = 'home'
const EXTENSIONS = ['spatial', 'avro']
const PYTHON_PEERS: Pinned = {
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

function installNode(wanted: Pinned): void {
  const missing = Object.entries(wanted).filter(([name, version]) => installed(name) !== version)
  if (missing.length === 0) return
  const kept = Object.entries({ ...TOOLS, ...ENGINES }).filter(
    ([name]) => wanted[name] !== undefined || installed(name) !== null,
  )
  mkdirSync(DIR, { recursive: true })
  const manifest = { name: 'peers', private: true, dependencies: Object.fromEntries(kept) }
  writeFileSync(join(DIR, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  try {
    const install = ['install', '--no-audit', '--no-fund', '--loglevel=error']
    execFileSync('npm', install, { cwd: DIR, stdio: ['ignore', 'ignore', 'inherit'] })
  } catch (thrown) {
    throw new UserError(`the peers cannot be installed: ${messageOf(thrown)}`)
  }
}

const program = command('npm run peers', 'Installs the judges of the code and of the tests.')
  .argument('[group]', 'tools: only the compiler, the linter and the driver of the browser')
  .action((group: string | undefined) => {
    if (group !== undefined && group !== 'tools') {
      throw new UserError(`there is no group ${JSON.stringify(group)}: write tools, or nothing`, 2)
    }
    const isAll = group === undefined
    const told: Pinned = { ...TOOLS, ...(isAll ? ENGINES : {}) }
    installNode(told)
    try {
      if (isAll) installPython()
      if (isAll) Object.assign(told, PYTHON_PEERS)
    } catch (thrown) {
      const [why] = messageOf(thrown).split('\n')
      process.stderr.write(`bqemulator is left out: ${why}\n`)
    }
    for (const [name, version] of Object.entries(told)) {
      process.stdout.write(`${name} ${version}\n`)
    }
  })

await main(program)
