/** Deployed folder: its contents, and that Functions Framework serves it. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { execFileSync, spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FunctionsProcess, packageInto } from '../support/functions-process.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
const out = join(dir, 'functions')
let dependencies: { [name: string]: string }

beforeAll(() => {
  dependencies = packageInto(out).dependencies
})
afterAll(() => rmSync(dir, { recursive: true }))

function programs(): string[] {
  return readdirSync(out, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.js') && !name.startsWith('node_modules'),
  )
}

test('contains definitions and pipeline as JavaScript, without DuckDB', () => {
  expect(programs()).toContain('definitions/journeys/checkout.js')
  for (const name of programs()) {
    expect(readFileSync(join(out, name), 'utf8')).not.toMatch(/from "@duckdb|import\("@duckdb/)
  }
  expect(existsSync(join(out, 'sql/views/states.sql'))).toBe(true)
})

test('depends on exactly the tested versions, and on no other library', () => {
  const ours = JSON.parse(readFileSync('package.json', 'utf8')) as {
    dependencies: { [name: string]: string }
  }
  expect(Object.keys(dependencies)).toEqual([
    '@google-cloud/bigquery',
    '@google-cloud/bigquery-storage',
    '@google-cloud/functions-framework',
    '@google-cloud/pubsub',
    'google-gax',
    'pino',
  ])
  for (const [name, version] of Object.entries(dependencies)) {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/)
    if (name in ours.dependencies) expect(version).toBe(ours.dependencies[name])
  }
  const lock = readFileSync(join(out, 'package-lock.json'), 'utf8')
  expect(lock).toContain('"node_modules/protobufjs"')
  expect(lock).not.toMatch(/node_modules\/(@duckdb|esbuild|tsx|vitest|zod)/)
  // npm checks that the lock file matches the manifest.
  const args = ['ls', '--package-lock-only', '--all', '--json']
  const tree = execFileSync('npm', args, { cwd: out, encoding: 'utf8' })
  expect(JSON.parse(tree)).not.toHaveProperty('problems')
})

test('starts under Functions Framework and responds', async () => {
  const functions = await FunctionsProcess.start(out, 'ingest', {})
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(functions.url, { method: 'POST', headers, body: '{"a":1}' })
  expect(answer.status).toBe(400)
  expect(await answer.text()).toContain('the request body is not a Pub/Sub message with an id')
  await functions.stop()
})

test('does not empty a folder with other files', () => {
  const other = mkdtempSync(join(dir, 'other-'))
  writeFileSync(join(other, 'mine.txt'), 'mine')
  const args = ['--import', 'tsx', 'scripts/package.ts', '--out', other]
  const ended = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect(ended.status).toBe(2)
  expect(ended.stderr).toContain('contains other files: use a new folder')
  expect(readdirSync(other)).toEqual(['mine.txt'])
})

test('does not package invalid definitions', () => {
  const bad = mkdtempSync(join(dir, 'bad-'))
  writeFileSync(join(bad, 'sessions.js'), "export default { gap: 'often' }")
  const target = join(dir, 'never')
  const args = ['--import', 'tsx', 'scripts/package.ts', '--definitions', bad, '--out', target]
  const ended = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect(ended.status).toBe(1)
  expect(ended.stderr).toContain('the definitions are not valid')
  expect(existsSync(target)).toBe(false)
})
