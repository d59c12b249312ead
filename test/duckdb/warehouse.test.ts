/** Embedded warehouse: contract, and errors on opening. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { arrowTable, supersedeTable } from '../../pipeline/warehouse/arrow/arrow.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { DuckDBFile } from '../../pipeline/duckdb/file.ts'
import { PendingRows } from '../../pipeline/duckdb/pending-rows.ts'
import { RUNNING } from '../../pipeline/duckdb/resource-limits.ts'
import { publicViews } from '../../pipeline/warehouse/public-views.ts'
import { hashes64 } from '../../pipeline/base/hash.ts'
import { landedTable } from '../../pipeline/io/inbox-source.ts'
import { batchOf, uuids } from '../support/batches.ts'
import { emptyFile } from '../support/empty-file.ts'
import { takeoverContract } from '../warehouse/takeover.contract.ts'
import { commitOf, imagesOf, warehouseContract } from '../warehouse/warehouse.contract.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

let files = 0

const fresh = () => emptyFile(join(dir, `${(files += 1)}.duckdb`))

const make = () => {
  const path = fresh()
  const warehouse = duckdbWarehouse(path)
  const reopen = async () => {
    await warehouse.close()
    return duckdbWarehouse(path)
  }
  return Promise.resolve({ warehouse, reopen })
}
warehouseContract('DuckDB', make)
takeoverContract('DuckDB', make)

test('a long read sees the state at its start, whatever is committed meanwhile', async () => {
  const warehouse = duckdbWarehouse(fresh())
  await warehouse.open()
  const ids = Array.from({ length: 10_000 }, (_, i) => `e${i}`)
  await warehouse.commit(batchOf(1, ids))
  let read = 0
  let batch = 1
  for await (const rows of warehouse.stream('select event_id from event_profiles')) {
    read += rows.length
    await warehouse.commit(batchOf((batch += 1), [`later ${batch}`]))
  }
  expect(batch).toBeGreaterThan(3)
  expect(read).toBe(ids.length)
  await warehouse.close()
})

test.each(['text.duckdb', 'events.ndjson', 'table.csv'])('rejects %s', async (name) => {
  const path = join(dir, name)
  writeFileSync(path, '{"a":1}\n'.repeat(10_000))
  await expect(duckdbWarehouse(path).open()).rejects.toThrow(`${path} is not a DuckDB file`)
})

test('rejects a database of another program and does not change it', async () => {
  const path = join(dir, 'other.duckdb')
  const other = await DuckDBFile.open(path, RUNNING)
  await other.run('create table events (order_id integer)')
  other.close()
  await expect(duckdbWarehouse(path).open()).rejects.toThrow(
    `${path} contains tables of another program with the same names`,
  )
  const again = await DuckDBFile.open(path, RUNNING)
  expect(await again.query('select table_name from duckdb_tables()')).toEqual([
    { table_name: 'events' },
  ])
  again.close()
})

test('read-only access does not create a warehouse in a file without its tables', async () => {
  const path = join(dir, 'theirs.duckdb')
  const theirs = await DuckDBFile.open(path, RUNNING)
  await theirs.run('create table orders (order_id integer)')
  theirs.close()
  const before = readFileSync(path)
  const asked = duckdbWarehouse(path, { ifMissing: 'refuse' })
  await expect(asked.open()).rejects.toThrow(`no warehouse at duckdb:${path}: check the name`)
  expect(readFileSync(path).equals(before)).toBe(true)
  expect(readdirSync(dir).filter((name) => name.startsWith('theirs'))).toEqual(['theirs.duckdb'])
  const fed = duckdbWarehouse(path)
  await fed.open()
  await fed.close()
  expect(await asked.open()).toMatchObject({ batch: 0 })
  await asked.close()
})

/** Returns a file as an earlier version created it: with another stamp and the given change. */
async function earlierFile(name: string, change: string): Promise<string> {
  const path = join(dir, name)
  const made = duckdbWarehouse(path)
  await made.open()
  await made.commit(batchOf(1, ['e1']))
  await made.close()
  const file = await DuckDBFile.open(path, RUNNING)
  await file.run(`comment on table internal.batches_log is 'earlier'; ${change}`)
  file.close()
  return path
}

test.each([
  ['releases_log', 'alter table internal.releases_log drop column released_by'],
  ['history', 'alter table internal.history add column no bigint'],
])('rejects a file with other %s columns, and does not change it', async (table, change) => {
  const path = await earlierFile(`earlier-${table}.duckdb`, change)
  const before = readFileSync(path)
  await expect(duckdbWarehouse(path).open()).rejects.toThrow(
    `${path} was created by another version of this program, with other columns in ${table}: load`,
  )
  expect(readFileSync(path).equals(before)).toBe(true)
})

test('`show tables` lists the public views and nothing else', async () => {
  const path = join(dir, 'listed.duckdb')
  const made = duckdbWarehouse(path)
  await made.open()
  await made.close()
  const file = await DuckDBFile.open(path, RUNNING)
  const names = (await file.query('show tables')).map(({ name }) => name)
  expect(names).toEqual([...publicViews().keys()])
  await file.run("attach ':memory:' as other; use other")
  expect(await file.query('select count(*) as n from listed.states')).toEqual([{ n: 0 }])
  file.close()
})

test('rejects a file with its tables in main, and does not change it', async () => {
  const path = join(dir, 'first-layout.duckdb')
  const file = await DuckDBFile.open(path, RUNNING)
  await file.run("create table batches_log (batch bigint); comment on table batches_log is 'x'")
  file.close()
  const before = readFileSync(path)
  for (const ifMissing of ['make', 'refuse'] as const) {
    await expect(duckdbWarehouse(path, { ifMissing }).open()).rejects.toThrow(
      `${path} has tables of layout 1, and this version of the program reads layout 2: ` +
        'load the original events into a new warehouse, ' +
        'npm start -- --warehouse duckdb:NEW.duckdb FILE',
    )
  }
  expect(readFileSync(path).equals(before)).toBe(true)
})

test('migrates a file of an earlier version with the same tables', async () => {
  const path = await earlierFile(
    'earlier.duckdb',
    'drop table internal.cohort_runs_log; drop view stuck',
  )
  const warehouse = duckdbWarehouse(path, { ifMissing: 'refuse' })
  expect(await warehouse.open()).toMatchObject({ batch: 1 })
  expect(await warehouse.query('select journey from stuck')).toEqual([])
  expect(await warehouse.query('select cohort from cohort_runs')).toEqual([])
  await warehouse.close()
})

test('compacts free blocks with erased data when the file is opened next', async () => {
  const path = join(dir, 'erased.duckdb')
  const secret = Buffer.from('the one text of its kind')
  const warehouse = duckdbWarehouse(path)
  await warehouse.open()
  const key = { subscription_name: 's', publish_time: 1, attributes: '{}' }
  const messages = [secret, Buffer.from('another')].map((data, n) => ({
    ...key,
    data,
    message_id: `${n}`,
  }))
  await warehouse.append('landed_messages', landedTable(messages), 1)
  await warehouse.close()
  await warehouse.open()
  await warehouse.query("delete from landed_messages where message_id = '0'")
  await warehouse.close()
  expect(readFileSync(path).includes(secret)).toBe(true)
  // A process leaves this file if it is killed between the commit and the compaction.
  writeFileSync(`${path}.erasing`, '')
  await warehouse.open()
  expect(await warehouse.unapplied({ messagesMax: 9, bytesMax: 9 })).toMatchObject([messages[1]])
  await warehouse.close()
  expect(readFileSync(path).includes(secret)).toBe(false)
  expect(readdirSync(dir).filter((name) => name.startsWith('erased'))).toEqual(['erased.duckdb'])
})

test('names a directory that does not exist', async () => {
  const path = join(dir, 'nowhere', 'x.duckdb')
  await expect(duckdbWarehouse(path).open()).rejects.toThrow(`${path} cannot be opened`)
})

test('names the process that locks a file', async () => {
  const path = join(dir, 'locked.duckdb')
  const script = `
    const { DuckDBInstance } = await import('@duckdb/node-api')
    const held = await DuckDBInstance.create(${JSON.stringify(path)})
    await held.connect()
    process.stdout.write('open')
    process.stdin.resume()
  `
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script])
  try {
    await once(holder.stdout, 'data')
    await expect(duckdbWarehouse(path).open()).rejects.toThrow(
      `${path} is locked: process ${holder.pid} has it open`,
    )
  } finally {
    holder.kill()
    await once(holder, 'exit')
  }
})

test('compacts images to the latest per key when they outgrow their keys', async () => {
  const warehouse = duckdbWarehouse(':memory:')
  await warehouse.open()
  const keys = Array.from({ length: 5_000 }, (_, i) => `key ${i}`)
  const commit = (batch: number, entries: [string, string][]) =>
    warehouse.commit(commitOf(batch, { images: imagesOf('stream', entries) }))
  await commit(1, [['first', '1']])
  for (let batch = 2; batch <= 12; batch++) {
    await commit(
      batch,
      keys.map((key) => [key, `${batch}`]),
    )
  }
  await commit(13, [['key 7', '13']])
  const [stored] = await warehouse.query('select count(*) as rows from stream_image')
  expect(stored).toEqual({ rows: 10_002 })
  const latest = keys.map((key): [string, string] => [key, key === 'key 7' ? '13' : '12'])
  expect(await warehouse.images('stream', ['first', ...keys])).toEqual(
    new Map([['first', '1'], ...latest]),
  )
  await warehouse.close()
})

test('folds pending rows left by a crash when the file is opened and closed', async () => {
  const path = join(dir, 'pending.duckdb')
  const crashed = join(dir, 'crashed-pending.duckdb')
  const warehouse = duckdbWarehouse(path)
  await warehouse.open()
  await warehouse.commit(batchOf(1, ['e1', 'e2']))
  const ended = supersedeTable(uuids(['e1']), { values: ['identity'], codes: new Int32Array(1) })
  await warehouse.commit(commitOf(2, { supersedes: new Map([['event_profile', ended]]) }))
  for (const end of ['', '.wal']) copyFileSync(path + end, crashed + end)
  await warehouse.close()
  const again = duckdbWarehouse(crashed)
  await again.open()
  await again.close()
  const file = await DuckDBFile.open(crashed, RUNNING)
  const counts = await file.counts([
    'internal.event_profile_pending',
    'internal.event_profile_base',
  ])
  expect([...counts.values()]).toEqual([0, 2])
  file.close()
})

test('folds pending rows on close only if they are a certain share of their table', async () => {
  const path = join(dir, 'share.duckdb')
  const warehouse = duckdbWarehouse(path)
  await warehouse.open()
  const ids = Array.from({ length: 200 }, (_, i) => `e${i}`)
  await warehouse.commit(batchOf(1, ids))
  const end = async (batch: number, ended: string[]) => {
    const rows = supersedeTable(uuids(ended), {
      values: ['identity'],
      codes: new Int32Array(ended.length),
    })
    await warehouse.commit(commitOf(batch, { supersedes: new Map([['event_profile', rows]]) }))
    await warehouse.close()
    await warehouse.open()
    const [kept] = await warehouse.query('select count(*) as rows from event_profile_pending')
    const [now] = await warehouse.query('select count(*) as rows from event_profiles')
    return [kept?.['rows'], now?.['rows']]
  }
  expect(await end(2, ['e1'])).toEqual([1, 199])
  expect(await end(3, ['e2', 'e3', 'e4'])).toEqual([0, 196])
  await warehouse.close()
})

test('folds many pending rows during a run only if they are a tenth of their table', async () => {
  const path = join(dir, 'tenth.duckdb')
  const warehouse = duckdbWarehouse(path)
  await warehouse.open()
  await warehouse.close()
  const file = await DuckDBFile.open(path, RUNNING)
  const [base, pending] = ['internal.session_base', 'internal.session_pending']
  await file.run(`insert into ${base} (recorded_by) select 1 from range(4000000)`)
  await file.run(`insert into ${pending} (superseded_by) values (2)`)
  const rows = new PendingRows()
  const left: number[] = []
  for (const more of [300_000, 99_999, 1]) {
    await rows.add(file, 'session', more)
    left.push((await file.counts([pending])).get(pending) as number)
  }
  expect(left).toEqual([1, 1, 0])
  file.close()
})

/** Returns a batch with images and segments of history; keys are `<batch>.<n>`. */
function rememberingBatch(batch: number, segments: number, images: number) {
  const commit = batchOf(batch, [`e${batch}`])
  const keys = (count: number) => Array.from({ length: count }, (_, n) => `${batch}.${n}`)
  const [streams, key] = [keys(segments), keys(images)]
  const rows = { k: hashes64(streams), stream: streams, segment: streams.map(() => '[1]') }
  commit.inserts.set('history', arrowTable('history', rows, segments))
  const image = { k: hashes64(key), key, image: key.map(() => '{}') }
  commit.images.set('stream', arrowTable('stream_image', image, images))
  return commit
}

test.each([
  [
    'this program',
    async (path: string) => {
      const warehouse = duckdbWarehouse(path)
      await warehouse.open()
      await warehouse.close()
    },
  ],
  ['another', async (path: string) => (await DuckDBFile.open(path, RUNNING)).close()],
] as const)('loses nothing when %s opens and closes a crashed file', async (_, look) => {
  const path = fresh()
  const crashed = join(dir, `${(files += 1)}.duckdb`)
  const warehouse = duckdbWarehouse(path)
  await warehouse.open()
  await warehouse.commit(rememberingBatch(1, 3, 1))
  // A crash leaves committed rows in the write-ahead log beside the database.
  for (const end of ['', '.wal']) copyFileSync(path + end, crashed + end)
  await warehouse.close()
  await look(crashed)
  const again = duckdbWarehouse(crashed)
  await again.open()
  await again.commit(rememberingBatch(2, 1, 3))
  expect(await again.segments(['1.1'])).toEqual(new Map([['1.1', ['[1]']]]))
  expect(await again.images('stream', ['1.0'])).toEqual(new Map([['1.0', '{}']]))
  await again.close()
})

test('returns a segment in commit exactly once, whenever it is read', async () => {
  const warehouse = duckdbWarehouse(fresh())
  await warehouse.open()
  const streams = Array.from({ length: 4 }, (_, n) => `s${n}`)
  for (let batch = 1; batch <= 400; batch++) {
    const commit = batchOf(batch, [`e${batch}`])
    const segments = streams.map(() => `[${batch}]`)
    const rows = { k: hashes64(streams), stream: streams, segment: segments }
    commit.inserts.set('history', arrowTable('history', rows, streams.length))
    let isCommitted = false
    const committed = warehouse.commit(commit).finally(() => (isCommitted = true))
    const expected = Array.from({ length: batch }, (_, n) => `[${n + 1}]`)
    while (!isCommitted) {
      expect((await warehouse.segments(['s3'])).get('s3')).toEqual(expected)
    }
    await committed
  }
  await warehouse.close()
})
