/** Commands that run from a bundle, as npm starts them. */

import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-run-'))
const identity = join(dir, 'identity.ts')
afterAll(() => rmSync(dir, { recursive: true }))

const BUNDLED = ['scripts/run.js']
const FROM_SOURCES = ['--import', 'tsx']

const CACHE = 'node_modules/.cache/desire-path'

/** Definitions of the bundles that were built. */
function bundledDefinitions(): unknown[] {
  return readdirSync(CACHE)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(CACHE, name), 'utf8')) as { definitions: unknown })
    .map(({ definitions }) => definitions)
}

/** Runs over no events with the definitions in `dir`. */
function start(how: readonly string[]) {
  const args = [...how, 'scripts/start.ts', '--warehouse', 'duckdb::memory:', '--definitions', dir]
  const { status, stdout, stderr } = spawnSync(process.execPath, [...args, '-'], {
    encoding: 'utf8',
    input: '',
  })
  return { status, stdout: stdout.replace(/in \d+\.\d+ s/, ''), stderr }
}

test('a bundled command prints what it prints from its sources', () => {
  const bundled = start(BUNDLED)
  expect(bundled.status).toBe(0)
  expect(bundled).toEqual(start(FROM_SOURCES))
})

test('a bundle is built again after a definition was added or changed', () => {
  writeFileSync(identity, 'export default { person: 7 }\n')
  expect(start(BUNDLED).stderr).toContain('identity.ts: person 7 is not a list of texts')
  expect(bundledDefinitions()).toContainEqual([identity])
  writeFileSync(identity, 'export default { person: 18 }\n')
  expect(start(BUNDLED).stderr).toContain('identity.ts: person 18 is not a list of texts')
})

test('bundles that were not used for an hour are removed, except for some', () => {
  const old = Array.from({ length: 40 }, (_, i) => join(CACHE, `bundle-old-${i}`))
  for (const bundle of old) {
    mkdirSync(bundle)
    utimesSync(bundle, 1, 1)
  }
  const lost = join(CACHE, 'lost.json')
  writeFileSync(lost, JSON.stringify({ dir: join(CACHE, 'bundle-lost') }))
  writeFileSync(identity, 'export default { person: 1 }\n')
  start(BUNDLED)
  expect(old.filter((bundle) => existsSync(bundle)).length).toBeLessThan(24)
  expect(existsSync(lost)).toBe(false)
  expect(bundledDefinitions()).toContainEqual([identity])
  for (const bundle of old) rmSync(bundle, { recursive: true, force: true })
})

test('a definition that cannot be bundled fails as from the sources', () => {
  writeFileSync(identity, "import { person } from './persons.ts'\nexport default { person }\n")
  const bundled = start(BUNDLED)
  expect(bundled.status).toBe(1)
  expect(bundled.stderr).toContain('persons.ts')
  expect(bundled).toEqual(start(FROM_SOURCES))
})
