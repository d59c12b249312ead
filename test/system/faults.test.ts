/**
 * Faults: invalid bytes, a full disk, a lost acknowledgement, a second writer, a signal. After each,
 * the run can be repeated, and no event is lost or duplicated.
 *
 * Kills are in `kill.test.ts`. Unreadable files are tested with paths that no one can open, because
 * permissions do not apply to root.
 */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { Pipeline } from '../../pipeline/microbatch/pipeline.ts'
import { ChunkDecoder } from '../../pipeline/decode/decode.ts'
import { LINE_BYTES_MAX } from '../../pipeline/decode/limits.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { cutAtLines, LineCutter } from '../../pipeline/io/line-cutter.ts'
import { run } from '../../pipeline/run.ts'
import type { Source } from '../../pipeline/io/source.ts'
import type { Row, Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { Shop } from '../../scripts/sample/shop.ts'
import { startCommands } from '../support/commands.ts'
import { emptyFile } from '../support/empty-file.ts'
import { dump, Harness } from '../support/dump.ts'
import { isLong } from '../support/long.ts'
import { programOf } from '../support/program.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

let files = 0
const newName = (end: string) => join(dir, `${(files += 1)}.${end}`)
const fresh = () => emptyFile(newName('duckdb'))

const START = programOf('start')
const NOON = 1_772_366_400_000

function line(id: unknown, changes: object = {}): string {
  const identifiers = { user_id: 'u1' }
  return JSON.stringify({ event_id: id, name: 'Go', occurred_at: NOON, identifiers, ...changes })
}

function written(...lines: (string | Buffer)[]): string {
  const path = newName('ndjson')
  writeFileSync(path, Buffer.concat(lines.map((text) => Buffer.from([...Buffer.from(text), 10]))))
  return path
}

const command = startCommands()

/** Runs to the end. Standard error must be empty or one line. */
const start = (database: string, ...args: string[]) =>
  command('start', ['--warehouse', `duckdb:${database}`, ...args])

async function ask(database: string, sql: string): Promise<Row[]> {
  const warehouse = duckdbWarehouse(database)
  await warehouse.open()
  const rows = await warehouse.query(sql)
  await warehouse.close()
  return rows
}

const idsOf = async (database: string) =>
  (await ask(database, 'select event_id from events order by 1')).map((row) => row['event_id'])

test('a bad line does not affect other lines, and is kept byte for byte', async () => {
  const cut = Buffer.from(line('cut', { source: 'é' }))
  const broken = Buffer.concat([cut.subarray(0, cut.indexOf(0xc3) + 1), Buffer.from('"}')])
  const path = written(
    line('e1'),
    broken,
    '{"event_id":"half',
    '["e1"]',
    line(7),
    line(null),
    line(undefined),
    line('e2', { identifiers: { user_id: null } }),
    line('e3', { occurred_at: '2255-01-01T00:00:00Z' }),
    line('e1'),
    line('e1', { source: 'other' }),
    `{"event_id":"long","properties":{"x":"${'x'.repeat(LINE_BYTES_MAX)}"}}`,
    line('e4'),
  )
  const database = fresh()
  const first = await start(database, '--batch-size', '4', path)
  expect(first).toMatchObject({ status: 0, stderr: '' })
  expect(first.stdout).toContain('2 events landed, 1 duplicate dropped, 10 refused')
  const letters = 'select reason, raw from dead_letters order by reason, detail'
  const kept = await ask(database, letters)
  expect(kept.map((row) => row['reason'])).toEqual([
    'duplicate_event_id',
    'invalid_field',
    'invalid_json',
    'invalid_utf8',
    'missing_field',
    'missing_field',
    'no_identifier',
    'occurred_in_future',
    'too_large',
    'unknown_format',
  ])
  expect(Buffer.from(kept[3]?.['raw'] as Uint8Array)).toEqual(broken)
  const again = await start(database, '--batch-size', '5', path)
  expect(again.stdout).toContain('0 events landed, 3 dupl')
  expect(await ask(database, letters)).toEqual(kept)
  expect(await idsOf(database)).toEqual(['e1', 'e4'])
})

test('commits an empty batch for an empty file', async () => {
  const database = fresh()
  expect(await start(database, written())).toMatchObject({ status: 0, stderr: '' })
  expect(await ask(database, 'select read_count from batches')).toEqual([{ read_count: 0 }])
})

test('bounds a batch in lines and in bytes', async () => {
  const database = fresh()
  const path = written(...Array.from({ length: 7 }, (_, i) => line(`e${i}`)))
  expect((await start(database, '--batch-size', '3', path)).status).toBe(0)
  const reads = await ask(database, 'select read_count from batches order by batch')
  expect(reads.map((row) => row['read_count'])).toEqual([3, 3, 1])
  const megabyte = Buffer.from(`${'x'.repeat((1 << 20) - 1)}\n`)
  const chunks: number[] = []
  const lines = (async function* () {
    for (let i = 0; i < 150; i++) yield await Promise.resolve(megabyte)
  })()
  for await (const chunk of cutAtLines(lines, new LineCutter(1_000_000)))
    chunks.push(chunk.length >> 20)
  expect(chunks).toEqual([80, 70])
})

/** Source with one event per chunk that loses the acknowledgement of `lost`. */
function losing(lost: number): Source {
  return {
    origin: 'test',
    isLive: true,
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < 4; i++) {
        yield await Promise.resolve({
          bytes: new TextEncoder().encode(line(`e${i}`, { occurred_at: NOON + i })),
          origin: 'test',
          progress: { done: i, total: 4 },
          acknowledge: () => (i === lost ? Promise.reject(new Error('lost')) : Promise.resolve()),
        })
      }
    },
  }
}

async function through(warehouse: Warehouse, source: Source) {
  const definitions = makeDefinitions({})
  const pipeline = await Pipeline.open(warehouse, definitions)
  const decoder = new ChunkDecoder({
    identity: definitions.identity,
    operandPaths: [],
    format: undefined,
    events: { events: {} },
    hashKey: undefined,
  })
  return run({
    pipeline,
    source,
    decode: (chunk, landedAt) => Promise.resolve(decoder.decode(chunk, landedAt)),
    warehouseUrl: warehouse.url,
    watermark: null,
  })
}

test('does not repeat a commit whose acknowledgement was lost', async () => {
  const database = fresh()
  const warehouse = duckdbWarehouse(database)
  await expect(through(warehouse, losing(1))).rejects.toThrow('lost')
  await warehouse.close()
  expect(await idsOf(database)).toEqual(['e0', 'e1'])
  const again = duckdbWarehouse(database)
  const { landed, duplicates } = await through(again, losing(-1))
  expect({ landed, duplicates }).toEqual({ landed: 2, duplicates: 2 })
  expect(await again.query('select event_count from sessions')).toEqual([{ event_count: 4 }])
  await again.close()
})

/** Removes or restores the tables of sessions, outside the warehouse. */
async function rename(warehouse: Warehouse, from: string, to: string): Promise<number> {
  const tables = await warehouse.query(
    `select table_name from duckdb_tables() where table_name ^@ '${from}'`,
  )
  for (const { table_name: table } of tables as { table_name: string }[]) {
    await warehouse.query(`alter table internal.${table} rename to ${table.replace(from, to)}`)
  }
  return tables.length
}

test('a batch that fails in part is rolled back whole, and can be committed later', async () => {
  const harness = new Harness(makeDefinitions({}), duckdbWarehouse(fresh()))
  const { warehouse } = harness
  await harness.feed([line('e1')])
  expect(await rename(warehouse, 'session', 'lost')).toBeGreaterThan(0)
  await expect(harness.feed([line('e2')])).rejects.toThrow('session')
  await rename(warehouse, 'lost', 'session')
  expect(await warehouse.query('select event_id from events')).toEqual([{ event_id: 'e1' }])
  expect(await harness.feed([line('e2')])).toMatchObject({ landed: 1, duplicates: 0 })
  expect(await warehouse.query('select event_count from sessions')).toEqual([{ event_count: 2 }])
  expect(await warehouse.query('select count(*) as n from batches')).toEqual([{ n: 2 }])
  await warehouse.close()
})

/** Starts a run whose input stays open, and waits until it has created its warehouse. */
async function waiting(database: string) {
  const args = ['--warehouse', `duckdb:${database}`, '--batch-size', '2', '-']
  const child = spawn(process.execPath, [...START, ...args], { stdio: ['pipe', 'ignore', 'pipe'] })
  const complaints: Buffer[] = []
  child.stderr.on('data', (data: Buffer) => complaints.push(data))
  const watcher = watch(dir)
  await new Promise<void>((resolve) => {
    watcher.on('change', (_event, name) => database.endsWith(`/${name}`) && resolve())
  })
  watcher.close()
  return { child, said: () => Buffer.concat(complaints).toString() }
}

test('a second writer fails with the process id of the first, which continues', async () => {
  const database = newName('duckdb')
  const path = written(line('e2'))
  const { child } = await waiting(database)
  const second = await start(database, path)
  expect(second).toEqual({
    status: 1,
    stdout: '',
    stderr:
      `error: ${database} is locked: process ${child.pid} has it open; ` +
      'wait for it to end, or choose another --warehouse',
  })
  child.stdin.end(line('e1'))
  expect(await once(child, 'exit')).toEqual([0, null])
  expect((await start(database, path)).status).toBe(0)
  expect(await idsOf(database)).toEqual(['e1', 'e2'])
})

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends a run after a whole batch, although its input is open',
  async (signal) => {
    const database = newName('duckdb')
    const lines = Array.from({ length: 5 }, (_, i) => `${line(`e${i}`)}\n`).join('')
    const { child, said } = await waiting(database)
    child.stdin.write(lines)
    child.kill(signal)
    expect(await once(child, 'exit')).toEqual([1, null])
    expect(said().trim().split('\n').at(-1)).toEqual(
      expect.stringMatching(
        /^error: interrupted(: \d+ batch(es)? with \d+ events? (is|are) committed; the same line reads the rest, and drops these events as duplicates| before the first batch was committed; to run it again): npm start -- --warehouse duckdb:\S+ --batch-size 2 -$/,
      ),
    )
    expect((await idsOf(database)).length % 2).toBe(0)
    expect((await start(database, written(lines.trim()))).status).toBe(0)
    expect(await idsOf(database)).toHaveLength(5)
  },
)

test.each<[what: string, args: (file: string) => string[], message: string]>([
  ['a warehouse under a file', (file) => ['--warehouse', `duckdb:${file}/x`], 'cannot be opened'],
  ['a warehouse that is a directory', () => ['--warehouse', `duckdb:${dir}`], 'cannot be opened'],
  ['input under a file', (file) => [`${file}/x`], 'cannot be read: ENOTDIR'],
  ['definitions under a file', (file) => ['--definitions', `${file}/x`], 'is not a folder'],
])('%s exits with 1 and one line', async (_what, args, message) => {
  const { status, stdout, stderr } = await start(fresh(), ...args(written(line('e1'))))
  expect({ status, stdout, lines: stderr.split('\n').length }).toEqual({
    status: 1,
    stdout: '',
    lines: 1,
  })
  expect(stderr).toContain(message)
})

test.skipIf(process.platform !== 'linux')('a closed or full output loses no event', async () => {
  const database = fresh()
  const path = written(line('e1'))
  const command = [process.execPath, ...START, '--warehouse', `duckdb:${database}`, path]
  const piped = (to: string) =>
    spawnSync('sh', ['-c', `"$@" ${to}`, 'sh', ...command], { encoding: 'utf8' }).stderr.trim()
  expect(piped('> /dev/full')).toMatch(/^error: the output could not be written: ENOSPC.*$/)
  expect(piped('| true')).toBe('')
  expect(await idsOf(database)).toEqual(['e1'])
})

/** Limits file sizes in blocks of 512 bytes, as on a full disk: within a commit, and when the log is
 * written into the file. */
test.skipIf(!isLong || process.platform === 'win32')(
  'a full disk leaves whole batches, and a run with more space completes them',
  async () => {
    const path = written([...new Shop(7).lines(800)].join('\n'))
    const args = ['--batch-size', '200', path]
    const whole = newName('duckdb')
    expect((await start(whole, ...args)).status).toBe(0)
    const failed: boolean[] = []
    for (const blocks of [1_000, 4_000]) {
      const database = newName('duckdb')
      const command = [process.execPath, ...START, '--warehouse', `duckdb:${database}`, ...args]
      const limited = ['-c', `ulimit -f ${blocks}; exec "$@"`, 'sh', ...command]
      const { status, stderr } = spawnSync('sh', limited, { encoding: 'utf8' })
      failed.push(status !== 0)
      if (status !== 0) expect(stderr).toMatch(/^error: .*File too large\n$/)
      expect(await start(database, ...args)).toMatchObject({ status: 0, stderr: '' })
      expect(await tables(database)).toEqual(await tables(whole))
    }
    expect(failed).toContain(true)
  },
)

async function tables(database: string) {
  const warehouse = duckdbWarehouse(database)
  await warehouse.open()
  const found = await dump(warehouse)
  const logs = await warehouse.query('select event_id from events order by 1')
  await warehouse.close()
  return { ...found, logs }
}
