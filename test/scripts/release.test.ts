/**
 * Commands of releases: output and errors. A kill at any moment leaves the tables either unchanged or
 * complete.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { elapsedMs } from '../../pipeline/base/clock.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { Shop } from '../../scripts/sample/shop.ts'
import { buying, definitionsIn } from '../support/histories/two-version-journey.ts'
import { startCommands } from '../support/commands.ts'
import { dump } from '../support/dump.ts'
import { isLong } from '../support/long.ts'
import { programOf } from '../support/program.ts'
import type { ReferenceTables, Row } from '../reference/reference.ts'

const KILLS = Number(process.env['KILLS'] ?? 1)
/** Time limit on a busy machine. */
const TIME_MAX_MS = 300_000
const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

const old = definitionsIn(join(dir, 'old'), buying(1, '24h'))
const young = definitionsIn(join(dir, 'young'), buying(2, '2h'))
const brief = definitionsIn(join(dir, 'brief'), buying(1, '24h'), '5m')
const events = join(dir, 'events.ndjson')
const fed = join(dir, 'fed.duckdb')
writeFileSync(events, [...new Shop(5).lines(6_000)].join('\n'))

/** Progress lines, which appear only on a busy machine. */
const PROGRESS = /^[\d,]+ events?.*$\n?/gm

function argumentsOf(script: string, database: string, dirOf: string, args: string[]): string[] {
  const folder = script === 'release' ? [] : ['--definitions', dirOf]
  return [...args, '--warehouse', `duckdb:${database}`, ...folder]
}

const run = startCommands()

async function command(script: string, database: string, dirOf: string, ...args: string[]) {
  const ended = await run(script, argumentsOf(script, database, dirOf, args))
  return { ...ended, stderr: ended.stderr.replaceAll(PROGRESS, '').trim() }
}

const WHY = ['--yes', '--why', 'carts go cold sooner']
const replay = ['replay', '--journey', 'buying']
const promote = ['release', 'promote', 'buying', '2', ...WHY]

type Shown = ReferenceTables & { built: Row[]; effects: Row[] }

async function shown(database: string): Promise<Shown> {
  const warehouse = duckdbWarehouse(database)
  await warehouse.open()
  const tables = await dump(warehouse)
  const built = await warehouse.query(
    `select cast(transition_id as varchar) as id, occurred_at from transition_facts
     where version = 2 and superseded_at is null order by 1`,
  )
  const effects = await warehouse.query('select effect_id, kind, status from effects order by all')
  await warehouse.close()
  return { ...tables, built: built as Row[], effects: effects as Row[] }
}

beforeAll(async () => {
  expect(await command('start', fed, old, events)).toMatchObject({ status: 0, stderr: '' })
})

function copyOf(name: string, from = fed): string {
  const path = join(dir, `${name}.duckdb`)
  copyFileSync(from, path)
  return path
}

test(
  'a new version is built, promoted and rolled back',
  async () => {
    const database = copyOf('released')
    const before = await shown(database)
    const run = await command('start', database, young, events)
    expect(run).toMatchObject({ status: 0 })
    expect(run.stderr).toContain(
      'journey buying 2 of the definitions is not live, 1 is; this run uses what is live',
    )
    expect((await command('release', database, young, 'status')).stdout).toMatch(
      /journey buying 1 +live [^\n]*\n$/,
    )
    const early = await command('release', database, young, 'promote', 'buying', '2')
    expect(early.stderr).toMatch(
      /^error: journey buying 2 is not built yet; to build it: npm run replay -- --journey buying /,
    )
    const [script = '', ...args] = replay
    expect((await command(script, database, young, ...args)).stdout).toMatch(
      /^journey buying 2: [\d,]+ events replayed .*\n {2}[\d,]+ rows new, 0 superseded\n/,
    )
    expect((await command('release', database, young, 'status')).stdout).toMatch(
      /journey buying 2 +built, 0 batches behind/,
    )
    expect((await shown(database)).states).toEqual(before.states)
    const plan = await command('release', database, young, 'promote', 'buying', '2')
    expect(plan).toMatchObject({ status: 0 })
    expect(plan.stdout).toContain('nothing has been changed')
    expect((await shown(database)).states).toEqual(before.states)
    const unasked = await command('release', database, young, 'promote', 'buying', '2', '--yes')
    expect(unasked).toMatchObject({ status: 2 })
    expect(unasked.stderr).toContain('--yes needs --why')
    const json = await command('release', database, young, ...promote.slice(1), '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({ done: 'promoted', version: 2, inserted: 0 })
    const after = await shown(database)
    expect(new Set(after.states?.map((row) => row['version']))).toEqual(new Set([2]))
    expect(await command('start', database, young, events)).toMatchObject({ status: 0, stderr: '' })
    expect(await shown(database)).toEqual(after)
    const back = await command('release', database, young, 'rollback', 'buying', ...WHY)
    expect(back).toMatchObject({ status: 0, stderr: '' })
    expect((await shown(database)).states).toEqual(before.states)
  },
  TIME_MAX_MS,
)

test(
  'an impossible release is an error with the reason',
  async () => {
    const database = copyOf('refused')
    const released = (...args: string[]) => command('release', database, young, ...args)
    const said = async (...args: string[]) => (await released(...args)).stderr
    expect(await said('rollback', 'buying')).toBe('error: buying has no earlier live version')
    expect(await said('promote', 'buying', '1')).toContain(
      'error: journey buying 1 is already live: npm run',
    )
    expect(await said('promote', 'buying', '7')).toBe(
      'error: journey buying 7 does not exist; its versions are: 1; to list them: ' +
        `npm run release -- status --warehouse duckdb:${database}`,
    )
    expect(await said('promote', 'paying', '1')).toContain(
      "paying is neither a journey nor a funnel; did you mean 'buying'? the journeys are: buying",
    )
    expect(await released('promote', 'buying', 'x')).toMatchObject({ status: 2 })
    expect(await command('replay', database, young)).toMatchObject({ status: 2 })
    const empty = join(dir, 'empty.duckdb')
    await shown(empty)
    const replayed = await command('replay', empty, young, '--journey', 'buying')
    expect(replayed.stderr).toContain('contains no events; load some: npm start')
    const changed = definitionsIn(join(dir, 'changed'), { ...buying(1, '24h'), restart: false })
    expect((await command('replay', database, changed, '--journey', 'buying')).stderr).toContain(
      'journey buying 1 is released and its content has changed',
    )
  },
  TIME_MAX_MS,
)

test(
  'a changed session rule is replayed, and its plan changes nothing',
  async () => {
    const database = copyOf('brief')
    const before = await shown(database)
    const run = await command('start', database, brief, events)
    expect(run).toMatchObject({ status: 1 })
    expect(run.stderr).toContain('a full replay is needed')
    const plan = await command('replay', database, brief, '--all')
    expect(plan).toMatchObject({ status: 0, stderr: '' })
    expect(plan.stdout).toMatch(
      /^everything under identity 1, sessions 2: .*\n {2}would change live rows: .* --yes/,
    )
    expect(await shown(database)).toEqual(before)
    const done = await command('replay', database, brief, '--all', '--yes', '--parallel', '2')
    expect(done.stdout).toMatch(/\n {2}[\d,]+ rows new, [\d,]+ superseded\n$/)
    const after = await shown(database)
    expect(after.sessions?.length).toBeGreaterThan(before.sessions?.length ?? 0)
    expect(after.effects).toEqual(before.effects)
    const again = await command('replay', database, brief, '--all', '--yes')
    expect(again.stdout).toContain('its rows are correct')
    expect(await command('start', database, brief, events)).toMatchObject({ status: 0, stderr: '' })
    expect(await shown(database)).toEqual(after)
  },
  TIME_MAX_MS,
)

test(
  'a window needs valid instants, and a version that is not live',
  async () => {
    const database = copyOf('window')
    const replayed = (...args: string[]) => command('replay', database, young, ...args)
    const march = ['--from', '2026-03-01T00:00:00Z', '--to', '2026-03-01T12:00:00Z']
    const built = await replayed('--journey', 'buying', ...march)
    expect(built.stdout).toMatch(/rows new, 0 superseded; other profiles are unchanged\n/)
    expect((await command('release', database, young, 'status')).stdout).toMatch(
      /journey buying 2 +built in part, /,
    )
    const live = await replayed('--journey', 'buying', '--version', '1', ...march)
    expect(live.stderr).toContain('a live version is always built whole')
    expect(await replayed('--all', ...march)).toMatchObject({ status: 2 })
    expect(await replayed('--journey', 'buying', '--from', 'noon')).toMatchObject({ status: 2 })
    const backwards = ['--from', '2026-03-02T00:00:00Z', '--to', '2026-03-01T00:00:00Z']
    expect((await replayed('--journey', 'buying', ...backwards)).stderr).toContain('is not before')
    expect((await replayed('--all', '--parallel', 'all')).stderr).toContain('--parallel "all"')
  },
  TIME_MAX_MS,
)

/** Runs a command and kills it. Returns whether it had ended before. */
async function killed(all: string[], ms: number): Promise<boolean> {
  const child = spawn(process.execPath, all, { stdio: 'ignore' })
  const timer = setTimeout(() => child.kill('SIGKILL'), ms)
  const [code] = await once(child, 'exit')
  clearTimeout(timer)
  return code === 0
}

test.skipIf(!isLong).each([
  ['a replay', young, [...replay, '--parallel', '2']],
  ['a replay of everything', brief, ['replay', '--all', '--yes', '--parallel', '2']],
  ['a promotion', young, promote],
])(
  `%s is there whole or not at all, whenever it is killed`,
  async (name, dirOf, of) => {
    const [script = '', ...args] = of
    const base = copyOf(`base ${name}`)
    // A version is recorded when it is built.
    if (of === promote) await command('replay', base, dirOf, ...replay.slice(1))
    const whole = copyOf(`whole ${name}`, base)
    const program = (database: string) => {
      const all = argumentsOf(script, database, dirOf, args)
      return programOf(script, ...all)
    }
    const startedAt = elapsedMs()
    expect(await killed(program(whole), TIME_MAX_MS)).toBe(true)
    const wholeMs = elapsedMs() - startedAt
    const [before, after] = [await shown(base), await shown(whole)]
    expect(after).not.toEqual(before)
    expect(after.effects).toEqual(before.effects)
    const database = copyOf(`killed ${name}`, base)
    const isDone = async () => {
      const found = await shown(database)
      const isAfter = JSON.stringify(found) === JSON.stringify(after)
      if (!isAfter) expect(found).toEqual(before)
      return isAfter
    }
    let kills = 0
    for (let kill = 0; kill < KILLS; kill++) {
      // The first kill is early on any machine, the last at about the end of the work.
      const isEnded = await killed(program(database), (0.2 + (0.8 * kill) / KILLS) * wholeMs)
      if (!isEnded) kills += 1
      if (await isDone()) break
      expect(isEnded).toBe(false)
    }
    expect(kills).toBeGreaterThan(0)
    if (!(await isDone())) {
      expect(await command(script, database, dirOf, ...args)).toMatchObject({ status: 0 })
    }
    expect(await shown(database)).toEqual(after)
  },
  TIME_MAX_MS,
)
