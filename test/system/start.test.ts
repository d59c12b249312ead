/** Commands as users run them: output and exit codes. */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { startCommands } from '../support/commands.ts'
import { definitionsFolder } from '../support/definitions-folder.ts'
import { emptyFile } from '../support/empty-file.ts'
import { programOf } from '../support/program.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

const LINE = JSON.stringify({
  event_id: 'e1',
  name: 'Product Added',
  occurred_at: '2026-03-01T10:00:00Z',
  identifiers: { user_id: 'u1' },
})

const run = startCommands()

let warehouses = 0
const missing = () => `duckdb:${join(dir, `${(warehouses += 1)}.duckdb`)}`
const fresh = () => `duckdb:${emptyFile(join(dir, `${(warehouses += 1)}.duckdb`))}`

test.each<[code: number, script: string, args: string[]]>([
  [0, 'start', ['-']],
  [1, 'status', []],
  [2, 'start', ['--what']],
])('the process exits with %i after %s %j', (code, script, args) => {
  const program = programOf(script, ...args, '--warehouse', missing())
  const { status, stdout } = spawnSync(process.execPath, program, { encoding: 'utf8', input: LINE })
  expect(status).toBe(code)
  expect(stdout.includes('1 event landed')).toBe(code === 0)
})

test('processes standard input, and a second run adds nothing', async () => {
  const url = fresh()
  const first = await run('start', ['--warehouse', url, '-'], `${LINE}\nbroken\n`)
  expect(first).toMatchObject({ status: 0, stderr: '' })
  expect(first.stdout).toContain('1 event landed, 0 duplicates dropped, 1 refused')
  const second = await run('start', ['--warehouse', url, '-'], `${LINE}\nbroken\n`)
  expect(second.stdout).toContain('0 events landed, 1 duplicate dropped, 1 refused')
  const letters = await run('dead-letters', ['list', '--warehouse', url])
  expect(letters.stdout.match(/invalid_json/g)).toHaveLength(1)
  const [id = ''] = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(letters.stdout) ?? []
  const shown = await run('dead-letters', ['show', id, '--warehouse', url])
  expect(shown).toMatchObject({ status: 0 })
  expect(shown.stdout).toContain('reason          invalid_json')
  expect(shown.stdout.endsWith('\nbroken\n')).toBe(true)
  const none = id.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))
  expect(await run('dead-letters', ['show', none, '--warehouse', url])).toMatchObject({ status: 1 })
  expect(await run('dead-letters', ['show', 'x', '--warehouse', url])).toMatchObject({ status: 2 })
})

test.each<[args: string[], message: string]>([
  [['--batch-size', '0'], '--batch-size "0" is not valid: use a whole number'],
  [['--watermark', 'tomorrow'], '--watermark "tomorrow" is not an instant'],
  [['--format', 'xml'], '--format "xml" is not a wire format'],
  [['--warehouse', 'oracle:x'], '--warehouse "oracle:x" is not a warehouse'],
  [['--source', 'kafka:x'], '--source "kafka:x" is not a subscription: use pubsub:PROJECT/SUBSCR'],
  [['--source', 'pubsub:a/b'], '--source cannot be combined with files or --watermark'],
  [['--effects', 'pubsub:a'], '--effects "pubsub:a" is not a topic: use pubsub:PROJECT/TOPIC'],
  [['--batch-seconds', 'soon'], '--batch-seconds "soon" is not valid: use seconds'],
  [['--what'], "unknown option '--what'"],
  [['--warehose', 'x'], "unknown option '--warehose'; did you mean --warehouse? see npm start"],
])('exits with 2 for invalid arguments %j', async (args, message) => {
  const { status, stderr } = await run('start', ['--warehouse', fresh(), ...args, '-'])
  expect({ status, lines: stderr.split('\n').length }).toEqual({ status: 2, lines: 1 })
  expect(stderr).toContain(message)
})

test.each([
  ['status', [], 'Usage: npm run status -- [options]\n'],
  ['dead-letters', ['show'], 'Usage: npm run dead-letters -- show [options] <id>\n'],
])('the help of %s %j has the usage with --', async (script, args, usage) => {
  const { status, stdout } = await run(script, [...args, '--help'])
  expect({ status, usage: stdout.slice(0, usage.length) }).toEqual({ status: 0, usage })
})

test('a command without an action lists its actions and exits with 2', async () => {
  const { status, stdout, stderr } = await run('dead-letters', [])
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toMatch(/^Usage: npm run dead-letters -- .*help \[command\] .*$/s)
  expect(stderr).not.toContain('(')
})

test('migrate refuses a DuckDB file, which is migrated on opening', async () => {
  const { status, stderr } = await run('migrate', ['--warehouse', missing()])
  expect(status).toBe(2)
  expect(stderr).toContain('is not a dataset: a DuckDB file is migrated when it is opened')
})

test.each(['migrate', 'compact'])('%s reports the form of a dataset URL', async (script) => {
  const { stderr: misspelt } = await run(script, ['--warehouse', 'bigquery:p1'])
  expect(misspelt).toContain('is not a dataset: use bigquery:PROJECT.DATASET')
})

test('generate reports a file that cannot be written', async () => {
  const out = join(dir, 'nowhere', 'shop.ndjson')
  const { status, stderr } = await run('generate', ['--events', '10', '--out', out])
  expect(status).toBe(1)
  expect(stderr).toMatch(`error: --out ${out} cannot be written: ENOENT`)
})

test('a missing file is an error with its name and exit code 1', async () => {
  const { status, stderr } = await run('start', ['--warehouse', fresh(), join(dir, 'none.ndjson')])
  expect(status).toBe(1)
  expect(stderr).toContain('none.ndjson cannot be read: the file does not exist; check the name')
})

test('a misspelt file name is an error with the most similar name', async () => {
  const path = join(dir, 'visits-of-may.ndjson')
  writeFileSync(path, '')
  const { stderr } = await run('start', ['--warehouse', fresh(), path.replace('visits', 'vists')])
  expect(stderr).toMatch(/cannot be read: the file does not exist; did you mean 'visits-of-may/)
})

test('a run stops if a released definition has changed', async () => {
  const url = fresh()
  const journey = (more: string) =>
    `{ id: 'j', version: 1, initial: 'a', ${more}
      states: { a: { on: { 'Product Added': 'b' } }, b: { type: 'final' } } }`
  const start = (files: { [name: string]: string }) =>
    run('start', ['--warehouse', url, '--definitions', definitionsFolder(dir, files), '-'], LINE)
  const released = { 'journeys/j.js': journey('') }
  expect(await start(released)).toMatchObject({ status: 0 })
  const changed = await start({ 'journeys/j.js': journey('restart: true,') })
  expect(changed.status).toBe(1)
  expect(changed.stderr).toContain('journey j 1 is released and its content has changed')
  const sessions = await start({ ...released, 'sessions.js': "{ gap: '10m' }" })
  expect(sessions.stderr).toContain('sessions.ts has changed')
})

test('dead letters are resolved when they are fed again after a fix', async () => {
  const url = fresh()
  const under = (events: string) => {
    const definitions = definitionsFolder(dir, { 'events.js': events })
    return ['--warehouse', url, '--definitions', definitions]
  }
  const strict = under("{ events: {}, unknown: 'refuse' }")
  expect((await run('start', [...strict, '-'], LINE)).stdout).toContain('unknown_event 1')
  expect((await run('dead-letters', ['refeed', ...strict])).stdout).toContain(
    '1 line fed: 0 landed',
  )
  const fixed = under('{ events: {} }')
  expect((await run('dead-letters', ['refeed', ...fixed])).stdout).toContain('1 line fed: 1 landed')
  const list = await run('dead-letters', ['list', '--warehouse', url])
  expect(list.stdout).toBe('no dead letters\n')
})

test('status reports progress, and fails if a limit is exceeded', async () => {
  const url = fresh()
  await run('start', ['--warehouse', url, '-'], `${LINE}\nbroken\n`)
  const told = await run('status', ['--warehouse', url, '--json', '--max-dead-letters', '1'])
  expect(told).toMatchObject({ status: 0, stderr: '' })
  expect(JSON.parse(told.stdout)).toMatchObject({
    watermark: '2026-03-01T10:00:00.000000Z',
    batches: 1,
    dead_letters: { invalid_json: 1 },
    live: { checkout: 1 },
    unhealthy: [],
  })
  expect((await run('status', ['--warehouse', url])).stdout).toContain(
    'all batches   1 landed, 0 duplicates, 1 refused\n',
  )
  const limits = ['--max-lag', '1m', '--max-dead-letters', '0']
  const late = await run('status', ['--warehouse', url, ...limits])
  expect(late.status).toBe(1)
  expect(late.stderr).toMatch(/^error: unhealthy: the watermark is .* behind \(--max-lag\); 1 dead/)
  expect(await run('status', ['--max-lag', 'soon'])).toMatchObject({ status: 2 })
})

test('a read-only command does not create a warehouse', async () => {
  const url = missing()
  const { status, stdout, stderr } = await run('status', ['--warehouse', url])
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  const made = `npm start -- --warehouse ${url} FILE`
  expect(stderr).toBe(`error: no warehouse at ${url}: check the name, or create it: ${made}`)
  expect(existsSync(url.replace('duckdb:', ''))).toBe(false)
  const feeding = ['pipeline', 'scripts/commands'].flatMap((folder) =>
    readdirSync(folder).filter(
      (file) =>
        file.endsWith('.ts') &&
        readFileSync(join(folder, file), 'utf8').includes(' warehouseToFeed('),
    ),
  )
  expect(feeding).toEqual(['config.ts', 'functions.ts', 'start.ts'])
})
