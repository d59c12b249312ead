/**
 * Command line: printed values are escaped, next commands can be pasted, and errors include the line
 * to type.
 */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { build } from 'esbuild'
import { afterAll, describe, expect, test } from 'vitest'
import { counted, printable, printableLines, shellWord } from '../../pipeline/base/text.ts'
import { hasBytes } from '../../scripts/cli/input.ts'
import { likelyCause } from '../../scripts/cli/likely-cause.ts'
import { checkNetwork } from '../../scripts/cli/network.ts'
import { planOf } from '../../scripts/deploy/plan.ts'
import { siteOf } from '../../scripts/deploy/site.ts'
import { scriptOf } from '../../scripts/deploy/step.ts'
import { startCommands } from '../support/commands.ts'
import { definitionsFolder } from '../support/definitions-folder.ts'
import { emptyFile } from '../support/empty-file.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

const run = startCommands()

let warehouses = 0
const fresh = () => `duckdb:${emptyFile(join(dir, `${(warehouses += 1)}.duckdb`))}`

function event(id: string, name: string, more: object = {}): string {
  const occurred_at = `2026-03-01T10:00:0${id.length}Z`
  const identifiers = { user_id: 'u1' }
  return JSON.stringify({ event_id: id, name, occurred_at, identifiers, ...more })
}

const journey = (after: string) =>
  `{ id: 'visit', version: 1, initial: 'a', states: {
    a: { on: { Bought: 'b' }, after: { '${after}': 'c' } }, b: { type: 'final' },
    c: { type: 'final' } } }`
const OWN = {
  'identity.js': "{ person: ['user_id', 'member'] }",
  'journeys/visit.js': journey('24h'),
}

/** Sequences that end a line, move the cursor, set a colour, or reorder text. */
// oxlint-disable-next-line no-control-regex
const RAW = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/

test('escapes control characters, and indents further lines of a value', () => {
  expect(printable('a\n\u001b[31m\u009b\u202eb\t')).toBe('a\\n\\u001b[31m\\u009b\\u202eb\\t')
  expect(printableLines('one\nerror: forged\n  two')).toBe('one\n  error: forged\n  two')
  expect([1, 2_000].map((count) => counted(count, 'event'))).toEqual(['1 event', '2,000 events'])
})

test('every command escapes names and ids from input', async () => {
  const evil = '\u001b]0;owned\u0007\r\nerror: forged'
  const url = fresh()
  const user = `u\u001b[2J\n${'x'.repeat(3)}`
  const definitions = definitionsFolder(dir, {
    'journeys/visit.js': `{ id: 'visit', version: 1, initial: 'a', states: {
      a: { on: { ${JSON.stringify(`Viewed${evil}`)}: 'b', Bought: 'c' } },
      b: { on: { Bought: 'a' } }, c: { type: 'final' } } }`,
    'cohorts/any.js': "{ id: 'any', who: { journey: 'visit', reached: 'a' } }",
  })
  const lines = [
    event(`e${evil}`, `Viewed${evil}`, { identifiers: { user_id: user }, source: `web${evil}` }),
    event('e2', 'Bought', { identifiers: { user_id: user, [`bad\u001b`]: 'x' } }),
    `{"event_id": "${evil}`,
  ]
  const fed = await run(
    'start',
    ['--warehouse', url, '--definitions', definitions, '-'],
    lines.join('\u0020\n'),
  )
  const asked: [string, ...string[]][] = [
    ['dead-letters', 'list'],
    ['explain', '--user', user],
    ['funnel', '--steps', `Viewed${evil}, Bought`, '--by', 'source'],
    ['status'],
    ['cohort', 'run'],
    ['cohort', 'members', 'any'],
    ['identity', 'audit'],
    ['release', 'status'],
    ['forget', '--user', user],
    ['explain', '--user', `no one${evil}`],
  ]
  const printed = [fed.stdout, fed.stderr]
  for (const [script, ...args] of asked) {
    const { stdout, stderr } = await run(script, [...args, '--warehouse', url])
    printed.push(stdout, stderr)
  }
  for (const text of printed) {
    expect(text.replaceAll('\n', '')).not.toMatch(RAW)
    expect(text.split('\n').filter((line) => line.startsWith('error: forged'))).toEqual([])
  }
  expect(printed.join('')).toContain('\\u001b]0;owned\\u0007\\r\\nerror: forged')
})

test('the deploy script quotes a folder name that contains shell commands', () => {
  const given = { project: 'my-project', dataset: 'journeys', region: 'europe-west1' }
  const site = siteOf({ ...given, landing: 'subscription', every: '5' })
  const definitionsDir = "$(touch owned) `id` $PROJECT_NUMBER it's"
  const script = scriptOf(planOf({ ...site, definitionsDir, isHashed: false }))
  expect(script.replaceAll(/\\\n +/g, '')).toContain(
    `--definitions '$(touch owned) \`id\` $PROJECT_NUMBER it'\\''s'`,
  )
  expect(script).toContain('"--uri=${ADVANCE_URL:?}"')
  expect(shellWord('plain/path')).toBe('plain/path')
  const echoed = spawnSync('sh', ['-c', `printf %s ${shellWord(definitionsDir)}`])
  expect(echoed.stdout.toString()).toBe(definitionsDir)
})

test('a CSV export has no cell that a spreadsheet evaluates, and keeps numbers unchanged', async () => {
  const url = fresh()
  const names = ['=1+1', '+1', '-1', '@x', '\tx', 'plain']
  const lines = names.map((name, i) => event(`${i}`, name, { source: name, ordinal: -i }))
  await run('start', ['--warehouse', url, '-'], lines.join('\n'))
  const out = join(dir, 'events.csv')
  await run('export', ['--warehouse', url, '--table', 'events', '--out', out])
  const text = readFileSync(out, 'utf8')
  for (const name of names.slice(0, 5)) expect(text).toContain(`,'${name},`)
  expect(text).toContain(',plain,')
  expect(text).toMatch(/,-5,/)
})

describe('default warehouses', () => {
  /** Runs a command in the directory of the default warehouses. */
  const inPlace = (at: string, script: string, args: string[], input = '', env = {}) =>
    run(script, args, input, { env, cwd: at })

  test('own events and the sample have separate files, and commands note when they use the sample', async () => {
    const at = mkdtempSync(join(dir, 'place-'))
    mkdirSync(join(at, 'definitions'))
    expect((await inPlace(at, 'start', [])).stdout).toContain('Events → duckdb:sample.duckdb')
    const sample = await inPlace(at, 'status', [])
    expect(sample.stdout).toMatch(/^duckdb:sample\.duckdb\n/)
    expect(sample.stderr).toContain('using the sample, --warehouse duckdb:sample.duckdb')
    const own = await inPlace(at, 'start', [], event('e1', 'Bought'))
    expect(own.stdout).toContain('Events → duckdb:journeys.duckdb\n  1 line read')
    const status = await inPlace(at, 'status', [])
    expect(status).toMatchObject({ stderr: '' })
    expect(status.stdout).toMatch(/^duckdb:journeys\.duckdb\n/)
    const mixed = await inPlace(at, 'start', ['--warehouse', 'duckdb:journeys.duckdb'])
    expect(mixed).toMatchObject({ status: 2, stdout: '' })
    expect(mixed.stderr).toContain(
      'the sample would mix with your events in duckdb:journeys.duckdb',
    )
    const later = await inPlace(at, 'start', ['--watermark', '2026-04-01T00:00:00Z'])
    expect(later.stdout).toContain('Events → duckdb:journeys.duckdb\n  0 lines read')
    const files = readdirSync(at).filter((name) => !name.endsWith('.state'))
    expect(files.sort()).toEqual(['definitions', 'journeys.duckdb', 'sample.duckdb'])
  })

  test('options that npm takes because -- is missing are refused with the line to type', async () => {
    const at = mkdtempSync(join(dir, 'place-'))
    const kept = (script: string, args: string[], env: { [name: string]: string }) =>
      inPlace(at, script, args, '', { npm_lifecycle_event: script, ...env })
    const one = await kept('start', ['f.ndjson'], { npm_config_warehouse: 'duckdb:my own.duckdb' })
    expect(one).toMatchObject({ status: 2, stdout: '' })
    expect(one.stderr).toContain(
      "npm takes --warehouse itself unless -- comes before it: npm start -- --warehouse 'duckdb:my own.duckdb' f.ndjson",
    )
    const two = await kept('start', ['now', 'f'], { npm_config_watermark: 'true' })
    expect(two.stderr).toContain('npm start -- --watermark now f')
    const verb = await kept('cohort', ['members', 'c'], { npm_config_as_of: 'now' })
    expect(verb.stderr).toContain('npm run cohort -- members --as-of now c')
    const own = await kept('status', [], { npm_config_json: 'true', npm_config_registry: 'x' })
    expect(own.stderr).not.toContain('npm takes')
    expect(readdirSync(at)).toEqual([])
  })
})

test('reads standard input that has bytes, and not one that is empty or silent', async () => {
  const [full, empty, silent] = [new PassThrough(), new PassThrough(), new PassThrough()]
  full.write('x')
  empty.end()
  expect(await hasBytes(full, 50)).toBe(true)
  expect(full.read()).toEqual(Buffer.from('x'))
  expect([await hasBytes(empty, 50), await hasBytes(silent, 50)]).toEqual([false, false])
})

test.each<[what: string, lines: string[], cause: RegExp]>([
  ['a CSV file', ['id,name,at', '1,Bought,now', '2,Sold,now'], /this is a CSV file/],
  ['a JSON array', ['[', '  {"a": 1},', '  {"a": 2}', ']'], /this is a JSON array/],
  ['another format', ['{"event_name":"x","event_timestamp":1}'], /looks like a GA4 export/],
  ['unknown objects', ['{"what":"x","when":1}'], /have another format \(what, when\)/],
  [
    'no identifiers',
    [event('e1', 'x', { identifiers: { visitor: 'v' } })],
    /declared: user_id, .*found: visitor/,
  ],
])(
  'a run that refuses all lines of %s prints the likely cause first',
  async (_what, lines, cause) => {
    const { status, stdout } = await run('start', ['--warehouse', fresh(), '-'], lines.join('\n'))
    expect(status).toBe(0)
    const [first = '', second = ''] = stdout.split('\n')
    expect(first).toMatch(/^(every line was|most lines were) refused: /)
    expect(second).toMatch(cause)
  },
)

test('an invalid dead letter id is an error with the command that lists them', async () => {
  const url = fresh()
  const shown = await run('dead-letters', ['show', 'x', '--warehouse', url])
  expect(shown).toMatchObject({
    status: 2,
    stderr:
      'error: "x" is not the id of a dead letter; list them: ' +
      `npm run dead-letters -- list --warehouse ${url}`,
  })
})

test('a few refused lines get no likely cause, and a binary file is recognised', async () => {
  const lines = [event('e1', 'A'), event('e22', 'B'), 'broken']
  const { stdout } = await run('start', ['--warehouse', fresh(), '-'], lines.join('\n'))
  expect(stdout).toMatch(/^Events → /)
  const parquet = { reason: 'invalid_json', detail: '', text: 'PAR1\u0015' }
  expect(likelyCause('invalid_json', [parquet], [])).toContain('binary file')
})

describe('a warehouse with its own definitions folder', () => {
  const url = fresh()
  const at = definitionsFolder(dir, OWN)
  const warehouse = ['--warehouse', url]

  test('remembers the folder, and next commands include the warehouse', async () => {
    const first = await run(
      'start',
      [...warehouse, '--definitions', at, '-'],
      event('e1', 'Bought'),
    )
    expect(first).toMatchObject({ status: 0, stderr: '' })
    expect(first.stdout).toContain(`npm run funnel -- --steps 'A, B' ${warehouse.join(' ')}`)
    const again = await run('start', [...warehouse, '-'], event('e22', 'Bought'))
    expect(again).toMatchObject({ status: 0, stderr: '' })
    expect((await run('release', ['status', ...warehouse])).stdout).toContain('visit 1')
    expect(await run('forget', ['--user', 'u1', ...warehouse])).toMatchObject({ status: 0 })
    expect((await run('replay', ['--journey', 'visit', ...warehouse])).status).toBe(0)
    const described = await run('describe', ['--journey', 'visit', ...warehouse])
    expect(described).toMatchObject({ status: 0, stderr: '' })
  })

  test('reports how the definitions of another folder differ from those on record', async () => {
    const other = definitionsFolder(dir, { ...OWN, 'journeys/visit.js': journey('8h') })
    const how = 'states.a.after.24h: "c" → absent, states.a.after.8h: absent → "c"'
    const refused = await run('start', [...warehouse, '--definitions', other, '-'], 'x')
    expect(refused.stderr).toContain(`its content has changed (${how})`)
    expect(refused.stderr).toMatch(
      new RegExp(`npm run replay -- --journey visit --warehouse ${url} --definitions ${other}$`),
    )
    const described = await run('describe', [
      '--journey',
      'visit',
      ...warehouse,
      '--definitions',
      other,
    ])
    expect(described.stderr).toContain(how)
    const moved = definitionsFolder(dir, { ...OWN, 'identity.js': "{ person: ['user_id'] }" })
    const identity = await run('start', [...warehouse, '--definitions', moved, '-'], 'x')
    expect(identity.stderr).toContain('person: ["user_id","member"] → ["user_id"]')
  })

  test('fails with the name of a remembered folder that no longer exists', async () => {
    rmSync(at, { recursive: true })
    expect(await run('forget', ['--user', 'u1', ...warehouse])).toMatchObject({ status: 0 })
    const start = await run('start', [...warehouse, '-'], event('e3', 'Bought'))
    expect(start).toMatchObject({ status: 1 })
    expect(start.stderr).toContain(`was last given the definitions in ${at}`)
  })
})

// A reserved name that never resolves, and an address that is reserved for documentation.
test.each(['service.invalid', '192.0.2.1'])(
  'the network check of %s fails within a second',
  async (host) => {
    const connected = checkNetwork(host, {})
    await expect(connected).rejects.toThrow(
      /^\S+ cannot be reached \(.+\): check the network and run this again$/,
    )
  },
)

test('migrate loads no engine before the network is checked', async () => {
  const { metafile } = await build({
    entryPoints: ['scripts/migrate.ts'],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    metafile: true,
  })
  const imported = Object.values(metafile.inputs).flatMap(({ imports }) => imports)
  const loaded = imported.filter(({ kind, external }) => external && kind === 'import-statement')
  const packages = new Set(
    loaded.map(({ path }) => path).filter((path) => !path.startsWith('node:')),
  )
  expect([...packages].sort()).toEqual(['commander', 'zod'])
})

test('an interrupted bench removes its files and prints how to run it again', async () => {
  const at = mkdtempSync(join(dir, 'bench-'))
  const program = ['--import', 'tsx', 'scripts/bench.ts', '--events', '500000']
  const child = spawn(process.execPath, program, { env: { ...process.env, TMPDIR: at } })
  let said = ''
  child.stderr.on('data', (text) => (said += String(text)))
  const made = () => readdirSync(at).filter((name) => name.startsWith('desire-path-bench-'))
  await expect.poll(made, { timeout: 200_000 }).toHaveLength(1)
  child.kill('SIGINT')
  expect(await once(child, 'exit')).toEqual([130, null])
  expect(made()).toEqual([])
  expect(said).toBe(
    'interrupted: nothing has been changed; to run it again: npm run bench -- --events 500000\n',
  )
})
