/** `npm run forget`: plan, erasure and errors. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadDefinitions } from '../../pipeline/definition/load.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { HASH_KEY_VARIABLE } from '../../pipeline/decode/hash-key.ts'
import { Shop } from '../../scripts/sample/shop.ts'
import { startCommands } from '../support/commands.ts'
import { Harness } from '../support/dump.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
const database = join(dir, 'shop.duckdb')
let user = ''

beforeAll(async () => {
  const harness = new Harness(await loadDefinitions('definitions'), duckdbWarehouse(database))
  await harness.feed([...new Shop(3).lines(600)])
  const [busiest] = await harness.warehouse.query(
    `select profile_id from event_profiles where profile_id like 'user_id:%'
     group by profile_id order by count(*) desc, profile_id limit 1`,
  )
  user = busiest?.['profile_id'] as string
  await harness.warehouse.close()
})
afterAll(() => rmSync(dir, { recursive: true }))

const command = startCommands({ env: { [HASH_KEY_VARIABLE]: 'test' } })
const run = (script: string, ...options: string[]) =>
  command(script, ['--warehouse', `duckdb:${database}`, ...options])

/** Returns the files of the folder with their modification time and content. */
const files = () =>
  readdirSync(dir).map((name) => {
    const path = join(dir, name)
    return [name, statSync(path).mtimeMs, readFileSync(path).toString('base64')]
  })

test('a plan reads a warehouse beside other readers, and changes no byte', async () => {
  const before = files()
  const reader = duckdbWarehouse(database, { isReader: true })
  await reader.open()
  const plan = await run('forget', '--user', user).finally(() => reader.close())
  expect(plan).toMatchObject({ status: 0, stderr: '' })
  expect(files()).toEqual(before)
  expect(plan.stdout).toMatch(/^ {4}events +[\d,]+$/m)
  const line = `npm run forget -- --user ${user} --yes --warehouse duckdb:${database}`
  expect(plan.stdout.trimEnd().split('\n').at(-1)).toBe(
    `  nothing has been changed; to erase them permanently: ${line}`,
  )
})

test('erases what the plan lists, and the tables verify', async () => {
  const asked = ['--user', user, '--keep-anonymous', '--json']
  const plan = JSON.parse((await run('forget', ...asked)).stdout) as { counts: object }
  expect(plan).toMatchObject({ profile_id: user, batch: null })
  const done = JSON.parse((await run('forget', ...asked, '--yes')).stdout) as object
  expect(done).toEqual({ ...plan, batch: 2 })
  const { events } = plan.counts as { events: number }
  expect(done).toMatchObject({ kept: events })
  expect(await run('verify')).toMatchObject({ status: 0 })
  const again = await run('forget', '--user', user, '--yes')
  expect(again).toMatchObject({ status: 1, stdout: '' })
  expect(again.stderr).toMatch(/^error: --user user_id:\S+ matches no person: [^\n]*$/)
  expect(await run('forget', '--yes')).toMatchObject({ status: 2 })
})
