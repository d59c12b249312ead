/**
 * The commands of a release, run for real: what they print, what they refuse, and that a kill at
 * any moment leaves the tables as before or as after.
 */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { elapsedMs } from '../pipeline/clock.ts'
import { duckdbWarehouse } from '../pipeline/duckdb.ts'
import { Shop } from '../scripts/shop.ts'
import { buying, definitionsIn } from './buying.ts'
import { dump } from './dump.ts'
import type { ReferenceTables, Row } from './reference.ts'

const KILLS = Number(process.env['KILLS'] ?? 2)
/** On a busy machine. */
const TIME_MAX_MS = 300_000
const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

const old = definitionsIn(join(dir, 'old'), buying(1, '24h'))
const young = definitionsIn(join(dir, 'young'), buying(2, '2h'))
const events = join(dir, 'events.ndjson')
const fed = join(dir, 'fed.duckdb')
writeFileSync(events, [...new Shop(5).lines(6_000)].join('\n'))

function arguments_(script: string, database: string, dirOf: string, args: string[]): string[] {
  const shared = ['--warehouse', `duckdb:${database}`, '--definitions', dirOf]
  return ['--import', 'tsx', `scripts/${script}.ts`, ...args, ...shared]
}

function command(script: string, database: string, dirOf: string, ...args: string[]) {
  const all = arguments_(script, database, dirOf, args)
  const { status, stdout, stderr } = spawnSync(process.execPath, all, { encoding: 'utf8' })
  return { status, stdout, stderr: stderr.trim() }
}

const WHY = ['--yes', '--why', 'carts go cold sooner']
const replay = ['replay', '--journey', 'buying']
const promote = ['release', 'promote', 'buying', '2', ...WHY]

async function shown(database: string): Promise<ReferenceTables & { built: Row[] }> {
  const warehouse = duckdbWarehouse(database)
  await warehouse.open()
  const tables = await dump(warehouse)
  const built = await warehouse.query(
    `select cast(transition_id as varchar) as id, occurred_at from transition_facts
     where version = 2 and superseded_at is null order by 1`,
  )
  await warehouse.close()
  return { ...tables, built: built as Row[] }
}

beforeAll(() => {
  expect(command('start', fed, old, events)).toMatchObject({ status: 0, stderr: '' })
})

function copyOf(name: string): string {
  const path = join(dir, `${name}.duckdb`)
  copyFileSync(fed, path)
  return path
}

test('a new version goes from the directory to the readers, and back', async () => {
  const database = copyOf('released')
  const before = await shown(database)
  const run = command('start', database, young, events)
  expect(run).toMatchObject({ status: 0 })
  expect(run.stderr).toContain('journey buying 2 is not live; this run goes on under what is')
  expect(command('release', database, young, 'status').stdout).toMatch(
    /journey buying 1 +live .*\njourney buying 2 +defined, not built/,
  )
  const [script = '', ...args] = replay
  expect(command(script, database, young, ...args).stdout).toMatch(
    /^journey buying 2: [\d,]+ events replayed .*\n {2}[\d,]+ rows new, 0 superseded\n/,
  )
  expect(command('release', database, young, 'status').stdout).toMatch(
    /journey buying 2 +built, 0 batches behind/,
  )
  expect((await shown(database)).states).toEqual(before.states)
  const plan = command('release', database, young, 'promote', 'buying', '2')
  expect(plan).toMatchObject({ status: 0 })
  expect(plan.stdout).toContain('nothing has been changed')
  expect((await shown(database)).states).toEqual(before.states)
  const unasked = command('release', database, young, 'promote', 'buying', '2', '--yes')
  expect(unasked).toMatchObject({ status: 2 })
  expect(unasked.stderr).toContain('--yes needs --why')
  const json = command('release', database, young, ...promote.slice(1), '--json')
  expect(JSON.parse(json.stdout)).toMatchObject({ done: 'promoted', version: 2, inserted: 0 })
  const after = await shown(database)
  expect(new Set(after.states?.map((row) => row['version']))).toEqual(new Set([2]))
  expect(command('start', database, young, events)).toMatchObject({ status: 0, stderr: '' })
  expect(await shown(database)).toEqual(after)
  const back = command('release', database, young, 'rollback', 'buying', ...WHY)
  expect(back).toMatchObject({ status: 0, stderr: '' })
  expect((await shown(database)).states).toEqual(before.states)
}, TIME_MAX_MS)

test('what cannot be released is refused in words', () => {
  const database = copyOf('refused')
  const released = (...args: string[]) => command('release', database, young, ...args)
  expect(released('rollback', 'buying').stderr).toBe('error: buying has had no other live version')
  expect(released('promote', 'buying', '1').stderr).toBe('error: journey buying 1 is live already')
  expect(released('promote', 'buying', '7').stderr).toContain('neither in the definitions nor on')
  expect(released('promote', 'paying', '1').stderr).toContain('neither journey nor funnel')
  expect(released('promote', 'buying', 'x')).toMatchObject({ status: 2 })
  expect(command('replay', database, young)).toMatchObject({ status: 2 })
  const empty = command('replay', join(dir, 'empty.duckdb'), young, '--journey', 'buying')
  expect(empty.stderr).toContain('is empty: feed it first')
  const changed = definitionsIn(join(dir, 'changed'), { ...buying(1, '24h'), restart: false })
  expect(command('replay', database, changed, '--journey', 'buying').stderr).toContain(
    'journey buying 1 is released and its content has changed',
  )
}, TIME_MAX_MS)

/** Runs until it is killed, or to its end; true when it ended by itself. */
async function killed(database: string, of: string[], ms: number): Promise<boolean> {
  const [script = '', ...args] = of
  const all = arguments_(script, database, young, args)
  const child = spawn(process.execPath, all, { stdio: 'ignore' })
  const timer = setTimeout(() => child.kill('SIGKILL'), ms)
  const [code] = await once(child, 'exit')
  clearTimeout(timer)
  return code === 0
}

test.each([
  ['a replay', replay],
  ['a promotion', promote],
])(`%s is there whole or not at all, whenever it is killed`, async (name, of) => {
  const [script = '', ...args] = of
  const whole = copyOf(`whole ${name}`)
  const startedAt = elapsedMs()
  expect(command(script, whole, young, ...args)).toMatchObject({ status: 0 })
  const wholeMs = elapsedMs() - startedAt
  const [before, after] = [await shown(fed), await shown(whole)]
  expect(after.built.length).toBeGreaterThan(0)
  const database = copyOf(`killed ${name}`)
  let kills = 0
  for (let kill = 0; kill < KILLS; kill++) {
    // The first kill comes early enough for any machine, the last about when the work is done.
    const isEnded = await killed(database, of, (0.2 + (0.8 * kill) / KILLS) * wholeMs)
    if (!isEnded) kills += 1
    const found = await shown(database)
    expect(found).toEqual(isEnded || found.built.length > 0 ? after : before)
    if (found.built.length > 0) break
  }
  expect(kills).toBeGreaterThan(0)
  const isReleased = (await shown(database)).built.length > 0
  if (!isReleased) expect(command(script, database, young, ...args)).toMatchObject({ status: 0 })
  expect(await shown(database)).toEqual(after)
}, TIME_MAX_MS)
