/** The commands as their users run them: what they print, and their exit codes. */

import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

const LINE = JSON.stringify({
  event_id: 'e1',
  name: 'Product Added',
  occurred_at: '2026-03-01T10:00:00Z',
  identifiers: { user_id: 'u1' },
})

function run(script: string, args: string[], input = '') {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', `scripts/${script}.ts`, ...args],
    { encoding: 'utf8', input },
  )
  return { status, stdout, stderr: stderr.trim() }
}

let warehouses = 0
const fresh = () => `duckdb:${join(dir, `${(warehouses += 1)}.duckdb`)}`

test('standard input is processed, and run again adds nothing', () => {
  const url = fresh()
  const first = run('start', ['--warehouse', url, '-'], `${LINE}\nbroken\n`)
  expect(first).toMatchObject({ status: 0, stderr: '' })
  expect(first.stdout).toContain('1 events landed, 0 duplicates dropped, 1 refused')
  const second = run('start', ['--warehouse', url, '-'], `${LINE}\nbroken\n`)
  expect(second.stdout).toContain('0 events landed, 1 duplicates dropped, 1 refused')
  const letters = run('dead-letters', ['list', '--warehouse', url])
  expect(letters.stdout.match(/invalid_json/g)).toHaveLength(1)
  const [id = ''] = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(letters.stdout) ?? []
  const shown = run('dead-letters', ['show', id, '--warehouse', url])
  expect(shown).toMatchObject({ status: 0 })
  expect(shown.stdout).toContain('reason          invalid_json')
  expect(shown.stdout.endsWith('\nbroken\n')).toBe(true)
  const none = id.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))
  expect(run('dead-letters', ['show', none, '--warehouse', url])).toMatchObject({ status: 1 })
  expect(run('dead-letters', ['show', 'x', '--warehouse', url])).toMatchObject({ status: 2 })
})

test.each<[args: string[], message: string]>([
  [['--batch-size', '0'], '--batch-size "0" is no batch size'],
  [['--watermark', 'tomorrow'], '--watermark "tomorrow" is no instant'],
  [['--format', 'xml'], '--format "xml" is no wire format'],
  [['--warehouse', 'oracle:x'], '--warehouse "oracle:x" is no warehouse'],
  [['--source', 'kafka:x'], '--source "kafka:x" is no subscription: write pubsub:PROJECT/SUBSCR'],
  [['--source', 'pubsub:a/b'], '--source goes with neither files nor --watermark'],
  [['--effects', 'pubsub:a'], '--effects "pubsub:a" is no topic: write pubsub:PROJECT/TOPIC'],
  [['--batch-seconds', 'soon'], '--batch-seconds "soon" is no such time'],
  [['--what'], "unknown option '--what'"],
])('wrong arguments %j exit with 2', (args, message) => {
  const { status, stderr } = run('start', ['--warehouse', fresh(), ...args, '-'])
  expect({ status, lines: stderr.split('\n').length }).toEqual({ status: 2, lines: 1 })
  expect(stderr).toContain(message)
})

test('a file that is not there exits with 1 and is named', () => {
  const { status, stderr } = run('start', ['--warehouse', fresh(), join(dir, 'none.ndjson')])
  expect(status).toBe(1)
  expect(stderr).toContain('none.ndjson cannot be read')
})

test('a definition that changes after its release stops the run', () => {
  const url = fresh()
  const definitions = join(dir, 'definitions')
  mkdirSync(join(definitions, 'journeys'), { recursive: true })
  const write = (more: string) =>
    writeFileSync(
      join(definitions, 'journeys', 'j.js'),
      `export default { id: 'j', version: 1, initial: 'a', ${more}
        states: { a: { on: { 'Product Added': 'b' } }, b: { type: 'final' } } }`,
    )
  const args = ['--warehouse', url, '--definitions', definitions, '-']
  write('')
  expect(run('start', args, LINE)).toMatchObject({ status: 0 })
  write('restart: true,')
  const changed = run('start', args, LINE)
  expect(changed.status).toBe(1)
  expect(changed.stderr).toContain('journey j 1 is released and its content has changed')
  write('')
  writeFileSync(join(definitions, 'sessions.js'), "export default { gap: '10m' }")
  expect(run('start', args, LINE).stderr).toContain('sessions.ts has changed')
})

test('dead letters are fed again after a fix, and then are no more', () => {
  const url = fresh()
  const strict = join(dir, 'strict')
  mkdirSync(strict)
  writeFileSync(join(strict, 'events.js'), "export default { events: {}, unknown: 'refuse' }")
  const args = ['--warehouse', url, '--definitions', strict]
  expect(run('start', [...args, '-'], LINE).stdout).toContain('unknown_event 1')
  expect(run('dead-letters', ['refeed', ...args]).stdout).toContain('fed 1: 0 landed')
  writeFileSync(join(strict, 'events.js'), 'export default { events: {} }')
  expect(run('dead-letters', ['refeed', ...args]).stdout).toContain('fed 1: 1 landed')
  expect(run('dead-letters', ['list', '--warehouse', url]).stdout).toBe('no dead letters\n')
})

test('status tells how far the tables have come, and is a failure beyond a named threshold', () => {
  const url = fresh()
  run('start', ['--warehouse', url, '-'], `${LINE}\nbroken\n`)
  const told = run('status', ['--warehouse', url, '--json', '--max-dead-letters', '1'])
  expect(told).toMatchObject({ status: 0, stderr: '' })
  expect(JSON.parse(told.stdout)).toMatchObject({
    watermark: '2026-03-01T10:00:00.000000Z',
    batches: 1,
    dead_letters: { invalid_json: 1 },
    live: { checkout: 1 },
    unhealthy: [],
  })
  const late = run('status', ['--warehouse', url, '--max-lag', '1m', '--max-dead-letters', '0'])
  expect(late.status).toBe(1)
  expect(late.stderr).toMatch(/^error: unhealthy: the watermark is .* behind \(--max-lag\); 1 dead/)
  expect(run('status', ['--max-lag', 'soon'])).toMatchObject({ status: 2 })
})

test('a command that does not feed a warehouse makes none', () => {
  const url = fresh()
  const { status, stdout, stderr } = run('status', ['--warehouse', url])
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  const made = `npm start -- --warehouse ${url} FILE`
  expect(stderr).toBe(`error: no warehouse at ${url}: check the name, or make it with ${made}`)
  expect(existsSync(url.replace('duckdb:', ''))).toBe(false)
  const feeding = ['pipeline', 'scripts'].flatMap((folder) =>
    readdirSync(folder).filter(
      (file) =>
        file.endsWith('.ts') &&
        readFileSync(join(folder, file), 'utf8').includes(' warehouseToFeed('),
    ),
  )
  expect(feeding).toEqual(['config.ts', 'functions.ts', 'start.ts'])
})
