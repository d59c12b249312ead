/**
 * Kills at chosen system calls. A command that rewrites a warehouse is killed at a write to the log,
 * the file or the copy, at a rename, or at the removal of the mark. Afterwards, a reader reads the
 * tables of before or after and changes nothing. The next writer completes or undoes the work and
 * reports which. The command can be run again.
 *
 * `KILL_POINTS=all` kills at every call of these kinds.
 */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadDefinitions } from '../../pipeline/definition/load.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { Shop } from '../../scripts/sample/shop.ts'
import { startCommands } from '../support/commands.ts'
import { dump, Harness } from '../support/dump.ts'
import { isLong } from '../support/long.ts'
import { isNamedIn } from '../support/named-in-file.ts'

const hasStrace = spawnSync('strace', ['-V']).status === 0
if (!hasStrace) process.stderr.write('skipped: kills at system calls; apt-get install strace\n')

const isEvery = process.env['KILL_POINTS'] === 'all'
const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

const command = startCommands()

/** File beside the warehouse by its suffix, a call, and the 1-based number of the call that kills. */
type Point = readonly [end: string, call: string, count: number]

/** Runs a command that is killed at the start of the call. Uses one thread of the pool, so that the
 * order of calls is fixed. Returns whether it was killed. */
async function killed(args: string[], database: string, [end, call, count]: Point) {
  const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:signal=SIGKILL:when=${count}`]
  const [script, ...rest] = args as [string, ...string[]]
  const node = [process.execPath, '--import', 'tsx', `scripts/${script}.ts`]
  const options = ['-f', '-o', '/dev/null', '-P', database + end, ...inject, ...node, ...rest]
  const child = spawn('strace', [...options, '--warehouse', `duckdb:${database}`], {
    stdio: 'ignore',
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
  })
  const [, signal] = await once(child, 'exit')
  return signal === 'SIGKILL'
}

async function read(database: string, isReader: boolean) {
  const notices: string[] = []
  const warehouse = duckdbWarehouse(database, {
    isReader,
    onNotice: (notice) => notices.push(notice),
  })
  await warehouse.open()
  const events = await warehouse.query('select event_id from events order by event_id')
  const certificates = await warehouse.query('select count(*) as n from erasures')
  const tables = JSON.stringify({ ...(await dump(warehouse)), events, certificates })
  await warehouse.close()
  return { tables, notices }
}

const filesOf = (database: string) =>
  readdirSync(dir)
    .filter((name) => name.startsWith(basename(database)))
    .map((name) => ({ name, bytes: statSync(join(dir, name)).size }))

type Scene = {
  args: string[]
  /** Creates the warehouse, possibly with a log as after a crash. */
  first: string
  /** Text that no file may contain after the command. */
  gone?: string
}

let scenes: { [name: string]: Scene & { before: string; after: string } }
const copies = { count: 0 }

function copyOf(first: string): string {
  const database = join(dir, `copy-${(copies.count += 1)}.duckdb`)
  for (const end of ['', '.wal']) {
    if (existsSync(first + end)) copyFileSync(first + end, database + end)
  }
  return database
}

function definitions(name: string, gap: string): string {
  const folder = join(dir, name)
  mkdirSync(join(folder, 'journeys'), { recursive: true })
  writeFileSync(join(folder, 'sessions.ts'), `export default { gap: '${gap}' }`)
  const journey = `export default { id: 'cart', version: 1, initial: 'out', restart: true, states: {
    out: { on: { 'Product Added': 'in' } }, in: { on: { 'Order Completed': 'done' } },
    done: { type: 'final' } } }`
  writeFileSync(join(folder, 'journeys', 'cart.ts'), journey)
  return folder
}

beforeAll(async () => {
  if (!hasStrace) return
  const [usual, other] = [definitions('usual', '30m'), definitions('other', '5m')]
  const first = join(dir, 'first.duckdb')
  const crashed = join(dir, 'crashed.duckdb')
  const harness = new Harness(await loadDefinitions(usual), duckdbWarehouse(first))
  const lines = [...new Shop(7).lines(900)]
  await harness.feed(lines.slice(0, 500))
  await harness.feed(lines.slice(500))
  const [busiest] = await harness.warehouse.query(
    `select profile_id from event_profiles where profile_id like 'user_id:%'
     group by profile_id order by count(*) desc, profile_id limit 1`,
  )
  // As after a crash: the last batch is in the log, and superseded rows are pending.
  for (const end of ['', '.wal']) copyFileSync(first + end, crashed + end)
  await harness.warehouse.close()
  const user = busiest?.['profile_id'] as string
  const given: { [name: string]: Scene } = {
    forget: {
      args: ['forget', '--user', user, '--yes'],
      first,
      gone: user,
    },
    compact: { args: ['compact'], first: crashed },
    replay: {
      args: ['replay', '--all', '--yes', '--why', 'test', '--definitions', other],
      first,
    },
  }
  scenes = {}
  for (const [name, scene] of Object.entries(given)) {
    const done = copyOf(scene.first)
    await run(scene, done)
    const before = (await read(copyOf(scene.first), true)).tables
    scenes[name] = { ...scene, before, after: (await read(done, true)).tables }
  }
})

/** Commands share a process and run one after another. */
let running: Promise<unknown> = Promise.resolve()

async function run({ args: [script, ...args] }: Scene, database: string): Promise<void> {
  const before = running
  const done = before.then(() =>
    command(script as string, [...args, '--warehouse', `duckdb:${database}`]),
  )
  running = done
  const ended = await done
  expect({ status: ended.status, stderr: ended.status === 0 ? '' : ended.stderr }).toEqual({
    status: 0,
    stderr: '',
  })
}

/** Returns the calls of a whole command, by file and kind. */
function everyPoint(name: string): Point[] {
  const { args, first } = scenes[name] as Scene
  const database = copyOf(first)
  const [script, ...rest] = args as [string, ...string[]]
  const log = join(dir, 'calls.txt')
  const node = [process.execPath, '--import', 'tsx', `scripts/${script}.ts`, ...rest]
  const trace = ['-f', '-y', '-o', log, '-e', 'trace=write,pwrite64,ftruncate,fsync,rename,unlink']
  spawnSync('strace', [...trace, ...node, '--warehouse', `duckdb:${database}`], {
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
  })
  const counts = new Map<string, number>()
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const [thread, call] = /^(\d+) +(\w+)\(/.exec(line)?.slice(1) ?? []
    const end = line.split(database)[1]?.match(/^[.\w]*/)?.[0]
    if (call === undefined || end === undefined) continue
    const key = `${end} ${call} ${thread}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const most = new Map<string, number>()
  for (const [key, count] of counts) {
    const of = key.slice(0, key.lastIndexOf(' '))
    most.set(of, Math.max(most.get(of) ?? 0, count))
  }
  return [...most].flatMap(([of, count]) => {
    const [end, call] = of.split(' ') as [string, string]
    return Array.from({ length: count }, (_, n): Point => [end, call, n + 1])
  })
}

/** Chosen calls: the files are in a different state at each. */
const CHOSEN: { [name: string]: Point[] } = {
  forget: [
    ['.erasing.new', 'rename', 1],
    ['.wal', 'write', 2],
    ['.rewritten', 'pwrite64', 5],
    ['.erasing.new', 'rename', 2],
    // The erased file is closed and keeps its log, which does not belong to the copy.
    ['.wal', 'unlink', 1],
    ['.rewritten', 'rename', 1],
    ['.erasing', 'unlink', 1],
  ],
  compact: [['', 'pwrite64', 3]],
  replay: [
    ['.recomputed', 'pwrite64', 1],
    ['.wal', 'write', 3],
  ],
}

async function survives(name: string, point: Point): Promise<void> {
  const scene = scenes[name] as Scene & { before: string; after: string }
  const database = copyOf(scene.first)
  const isKilled = await killed(scene.args, database, point)
  const left = filesOf(database)
  const isMarked = left.some((file) => file.name.includes('.erasing'))
  const found = await read(database, true)
  const isDone = found.tables === scene.after
  expect({ point, isKilled, isWhole: isDone || found.tables === scene.before }).toEqual({
    point,
    isKilled: isEvery ? isKilled : true,
    isWhole: true,
  })
  // A reader does not change the files.
  expect(filesOf(database)).toEqual(left)
  const next = await read(database, false)
  expect({ point, isSame: next.tables === found.tables }).toEqual({ point, isSame: true })
  const told = isDone ? 'an interrupted erasure has been completed' : 'has been undone'
  expect({ point, notices: next.notices }).toEqual({
    point,
    notices: isMarked ? [expect.stringContaining(told)] : [],
  })
  if (!isDone || name !== 'forget') await run(scene, database)
  expect({ point, isAfter: (await read(database, true)).tables === scene.after }).toEqual({
    point,
    isAfter: true,
  })
  const files = filesOf(database).map((file) => file.name)
  expect({ point, files }).toEqual({ point, files: [basename(database)] })
  if (scene.gone !== undefined) {
    expect(isNamedIn(database, scene.gone)).toBe(false)
  }
  rmSync(database)
}

describe.skipIf(!hasStrace || !isLong)('killed at a system call', () => {
  test.each(['forget', 'compact', 'replay'])(
    '%s is either complete or has no effect',
    { timeout: isEvery ? 3_600_000 : 300_000 },
    async (name) => {
      const points = isEvery ? everyPoint(name) : [...(CHOSEN[name] as Point[])]
      const lane = async () => {
        for (let point = points.shift(); point !== undefined; point = points.shift()) {
          await survives(name, point)
        }
      }
      await Promise.all([lane(), lane()])
    },
  )
})
