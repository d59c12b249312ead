/** First runs in an empty folder: which files they leave, and what an interrupted one prints. */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { startCommands } from '../support/commands.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))
mkdirSync(join(dir, 'definitions'))
writeFileSync(join(dir, 'empty.ndjson'), '')
writeFileSync(join(dir, 'table.csv'), 'a,b\n1,2\n')
writeFileSync(join(dir, 'torn.gz'), gzipSync('{}\n').subarray(0, 12))

const run = startCommands({ cwd: dir })
const warehouses = () => readdirSync(dir).filter((name) => name.includes('.duckdb'))

test('a run that reads nothing leaves no default warehouse', async () => {
  const empty = await run('start', ['empty.ndjson'])
  expect(empty).toEqual({
    status: 0,
    stdout: '',
    stderr: 'empty.ndjson has no lines: duckdb:journeys.duckdb is not created',
  })
  expect(warehouses()).toEqual([])
  const torn = await run('start', ['torn.gz'])
  expect(torn).toMatchObject({ status: 1 })
  expect(torn.stderr).toContain('torn.gz could not be read to its end')
  writeFileSync(join(dir, 'definitions', 'sessions.ts'), 'export default 7')
  expect(await run('start', ['table.csv'])).toMatchObject({ status: 1 })
  rmSync(join(dir, 'definitions', 'sessions.ts'))
  expect(warehouses()).toEqual([])
})

test('a warehouse that was named is kept although its run read nothing', async () => {
  const named = ['--warehouse', 'duckdb:named.duckdb']
  expect((await run('start', [...named, 'empty.ndjson'])).stdout).toContain('0 lines read')
  expect(existsSync(join(dir, 'named.duckdb'))).toBe(true)
})

test('a run that refuses all lines keeps them, and notes that the default is its file now', async () => {
  writeFileSync(join(dir, 'sample.duckdb'), '')
  const { stdout, stderr } = await run('start', ['table.csv'])
  expect(stdout).toContain('each refused line: npm run dead-letters -- list\n')
  expect(stderr).toBe(
    'commands without --warehouse now read duckdb:journeys.duckdb, which has no events yet; ' +
      'for the sample, add --warehouse duckdb:sample.duckdb',
  )
  expect((await run('dead-letters', ['list'])).stdout.match(/invalid_json/g)).toHaveLength(2)
})
