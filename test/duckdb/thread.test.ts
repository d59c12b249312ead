/** DuckDB warehouse of a run, in a thread of its own. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { UserError } from '../../pipeline/base/errors.ts'
import { hashes64 } from '../../pipeline/base/hash.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { setEraseMark } from '../../pipeline/duckdb/erase-mark.ts'
import { threadedWarehouse } from '../../pipeline/duckdb/thread/threaded-warehouse.ts'
import { WarehouseThread } from '../../pipeline/duckdb/thread/warehouse-thread.ts'
import type { Loading } from '../../pipeline/warehouse/warehouse.ts'
import {
  commitOf,
  imagesOf,
  landedEvents,
  profiles,
  warehouseContract,
} from '../warehouse/warehouse.contract.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
let files = 0
const newPath = () => join(dir, `${(files += 1)}.duckdb`)

/** One thread for all tests, because it loads the sources. */
let thread: WarehouseThread
beforeAll(() => {
  thread = new WarehouseThread()
})
afterAll(async () => {
  await thread.close()
  rmSync(dir, { recursive: true })
})

const make = () => {
  const path = newPath()
  const warehouse = threadedWarehouse(path, {}, thread)
  const reopen = async () => {
    await warehouse.close()
    return threadedWarehouse(path, {}, thread)
  }
  return Promise.resolve({ warehouse, reopen })
}
warehouseContract('DuckDB in a thread', make, { canErase: false })

/** Returns a part of batch 1 with one event of a profile. */
const partOf = (event: string) =>
  commitOf(1, { inserts: new Map([['event_profile', profiles([{ event, profile: 'p' }])]]) })

test('a failure has the class, the exit code and the next command of the original', async () => {
  const path = newPath()
  writeFileSync(path, 'not a database')
  await expect(threadedWarehouse(path, {}, thread).open()).rejects.toThrow(UserError)
  const absent = `${path}.absent`
  const options = { ifMissing: 'refuse' } as const
  const here = await failureOf(duckdbWarehouse(absent, options).open())
  const there = await failureOf(threadedWarehouse(absent, options, thread).open())
  expect(there).toBeInstanceOf(UserError)
  expect({ ...there, message: there.message }).toEqual({ ...here, message: here.message })
})

async function failureOf(work: Promise<unknown>): Promise<UserError> {
  try {
    await work
  } catch (thrown) {
    return thrown as UserError
  }
  throw new Error('it did not fail')
}

test('passes on a notice about an interrupted erasure', async () => {
  const path = newPath()
  const before = duckdbWarehouse(path)
  await before.open()
  await before.close()
  await setEraseMark(path, { phase: 'erasing', batch: 1 })
  const notices: string[] = []
  const onNotice = (notice: string) => notices.push(notice)
  const warehouse = threadedWarehouse(path, { onNotice }, thread)
  await warehouse.open()
  await warehouse.close()
  expect(notices).toEqual([expect.stringContaining('an interrupted erasure has been undone')])
})

test('a load that fails rejects with its own error and leaves nothing', async () => {
  const path = newPath()
  const warehouse = threadedWarehouse(path, {}, thread)
  await warehouse.open()
  const failure = new Error('no more parts')
  const work = async ({ add }: Loading) => {
    await add(partOf('e1'))
    throw failure
  }
  await expect(warehouse.load?.(work)).rejects.toBe(failure)
  expect(await warehouse.query('select event_id from event_profiles')).toEqual([])
  await warehouse.load?.(async ({ add }) => add(partOf('e2')))
  expect(await warehouse.query('select event_id from event_profiles')).toEqual([{ event_id: 'e2' }])
  await warehouse.close()
})

test('a part that cannot be written fails the load, even if it is the last', async () => {
  const warehouse = threadedWarehouse(newPath(), {}, thread)
  await warehouse.open()
  const skipping = commitOf(2)
  await expect(warehouse.load?.(async ({ add }) => add(skipping))).rejects.toThrow(
    'batches are numbered without a gap',
  )
  expect((await warehouse.open()).batch).toBe(0)
  await warehouse.close()
})

test('lookups of a load include the parts before them', async () => {
  const warehouse = threadedWarehouse(newPath(), {}, thread)
  await warehouse.open()
  const ids = Array.from({ length: 5_000 }, (_, i) => `e${i}`)
  let found = 0
  await warehouse.load?.(async ({ add, landed }) => {
    await add(commitOf(1, { inserts: new Map([['events', landedEvents(ids)]]) }))
    found = (await landed(ids, hashes64(ids))).length
  })
  expect(found).toBe(ids.length)
  await warehouse.close()
})

test('counts the rows that the thread has read', async () => {
  const warehouse = threadedWarehouse(newPath(), {}, thread)
  await warehouse.open()
  await warehouse.commit(commitOf(1, { images: imagesOf('stream', [['a', '1']]) }))
  await warehouse.images('stream', ['a'])
  expect(warehouse.reads.images).toBe(1)
  await warehouse.close()
})

test('calls are rejected when the thread has ended', async () => {
  const own = new WarehouseThread()
  const warehouse = threadedWarehouse(newPath(), {}, own)
  await warehouse.open()
  await own.close()
  await expect(warehouse.query('select 1')).rejects.toThrow('the thread of the warehouse has ended')
})
