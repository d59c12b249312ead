/** State stores return what the warehouse returns, whatever happens to their folder between runs. */

import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { hashes64 } from '../../pipeline/base/hash.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { openLocalState } from '../../pipeline/state/local-state.ts'
import { warehouseState, type StateStore } from '../../pipeline/state/state-store.ts'
import { arrowTable } from '../../pipeline/warehouse/arrow/arrow.ts'
import type { Commit, Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { DAMAGES, damageState } from '../support/damaged-state.ts'
import { emptyFile } from '../support/empty-file.ts'
import { commitOf, imagesOf, landedEvents } from '../warehouse/warehouse.contract.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))
let files = 0
const fresh = () => emptyFile(join(dir, `${(files += 1)}.duckdb`))

/** Returns a commit with an image per key and a segment per stream. */
function remembering(batch: number, images: string[], streams: string[]): Commit {
  const segments = streams.map((stream) => `${stream}${batch}`)
  const rows = { k: hashes64(streams), stream: streams, segment: segments }
  return commitOf(batch, {
    images: imagesOf(
      'profile',
      images.map((key) => [key, `${key}${batch}`]),
    ),
    inserts: new Map([['history', arrowTable('history', rows, streams.length)]]),
  })
}

const follow = (state: StateStore, warehouse: Warehouse, commit: Commit) =>
  state.follow(commit, warehouse.commit(commit))

async function answers(state: StateStore) {
  const images = await state.images('profile', ['a', 'b', 'never'])
  const segments = await state.segments(['s', 't', 'never'])
  return { images: Object.fromEntries(images), segments: Object.fromEntries(segments) }
}

async function opened(path = fresh()) {
  const warehouse = duckdbWarehouse(path)
  await warehouse.open()
  return { path, warehouse, stateDir: `${path}.state` }
}

async function localState(stateDir: string, warehouse: Warehouse): Promise<StateStore> {
  const state = await openLocalState(stateDir, warehouse)
  if (state === null) throw new Error('the store is not open')
  return state
}

describe.each([
  [
    'in the warehouse',
    (_: string, warehouse: Warehouse) => Promise.resolve(warehouseState(warehouse)),
  ],
  ['in a folder', localState],
] as const)('a store %s', (_where, open) => {
  test('returns the latest image of a key and all segments of a stream in order', async () => {
    const { warehouse, stateDir } = await opened()
    const state = await open(stateDir, warehouse)
    expect(await answers(state)).toEqual({ images: {}, segments: {} })
    await follow(state, warehouse, remembering(1, ['a', 'b'], ['s']))
    await follow(state, warehouse, remembering(2, ['a'], ['s', 't']))
    expect(await answers(state)).toEqual({
      images: { a: 'a2', b: 'b1' },
      segments: { s: ['s1', 's2'], t: ['t2'] },
    })
    expect(Object.fromEntries(await state.images('stream', ['a']))).toEqual({})
    state.close()
    await warehouse.close()
  })

  test('returns the segments of an in-flight commit once', async () => {
    const { warehouse, stateDir } = await opened()
    const state = await open(stateDir, warehouse)
    await follow(state, warehouse, remembering(1, ['a'], ['s']))
    const done = follow(state, warehouse, remembering(2, [], ['s', 't']))
    const expected = new Map([['s', ['s1', 's2']], ['t', ['t2']]]) // prettier-ignore
    expect(await state.segments(['s', 't'])).toEqual(expected)
    await done
    expect(await state.segments(['s', 't'])).toEqual(expected)
    state.close()
    await warehouse.close()
  })

  test('returns nothing of a commit that fails', async () => {
    const { warehouse, stateDir } = await opened()
    const state = await open(stateDir, warehouse)
    await follow(state, warehouse, remembering(1, ['a'], ['s']))
    await expect(follow(state, warehouse, remembering(7, ['a'], ['s']))).rejects.toThrow()
    expect(await answers(state)).toEqual({ images: { a: 'a1' }, segments: { s: ['s1'] } })
    state.close()
    await warehouse.close()
  })
})

/** Changes to a store of two batches before the next run; the warehouse has three. */
const HAPPENED: [what: string, happen: (stateDir: string) => Promise<void> | void][] = [
  ...DAMAGES.map((damage): [string, (stateDir: string) => void] => [
    damage,
    (stateDir) => damageState(stateDir, damage, 3),
  ]),
  [
    'swapped for that of another warehouse',
    async (stateDir) => {
      const other = await opened()
      const state = await localState(other.stateDir, other.warehouse)
      const commit = { ...remembering(1, ['a', 'never'], ['s', 'never']), recordedAt: 5 }
      await follow(state, other.warehouse, commit)
      state.close()
      await other.warehouse.close()
      for (const name of readdirSync(other.stateDir)) {
        copyFileSync(join(other.stateDir, name), join(stateDir, name))
      }
    },
  ],
  [
    'a file and not a folder',
    (stateDir) => {
      rmSync(stateDir, { recursive: true })
      writeFileSync(stateDir, '')
    },
  ],
  [
    'locked by a process that is gone',
    (stateDir) => writeFileSync(join(stateDir, 'lock'), '4194305'),
  ],
]

test.each(HAPPENED)('a store left %s returns the state of the warehouse', async (_what, happen) => {
  const { path, warehouse, stateDir } = await opened()
  const state = await localState(stateDir, warehouse)
  await follow(state, warehouse, remembering(1, ['a', 'b'], ['s']))
  await follow(state, warehouse, remembering(2, ['a'], ['s', 't']))
  state.close()
  await warehouse.commit(remembering(3, ['b'], ['t']))
  await happen(stateDir)
  await warehouse.close()
  const again = await opened(path)
  const next = (await openLocalState(stateDir, again.warehouse)) ?? warehouseState(again.warehouse)
  const expected = {
    images: { a: 'a2', b: 'b3' },
    segments: { s: ['s1', 's2'], t: ['t2', 't3'] },
  }
  for (let reading = 0; reading < 2; reading++) expect(await answers(next)).toEqual(expected)
  await follow(next, again.warehouse, remembering(4, ['a'], ['s']))
  expect(await answers(next)).toEqual({
    images: { a: 'a4', b: 'b3' },
    segments: { s: ['s1', 's2', 's4'], t: ['t2', 't3'] },
  })
  next.close()
  await again.warehouse.close()
})

test('discards a store that is ahead of its warehouse', async () => {
  const { path, warehouse, stateDir } = await opened()
  const state = await localState(stateDir, warehouse)
  await follow(state, warehouse, remembering(1, ['a'], ['s']))
  await warehouse.close()
  const restored = fresh()
  copyFileSync(path, restored)
  const longer = await opened(path)
  await follow(state, longer.warehouse, remembering(2, ['a'], ['s']))
  state.close()
  await longer.warehouse.close()
  const earlier = await opened(restored)
  const next = await localState(stateDir, earlier.warehouse)
  expect(await answers(next)).toEqual({ images: { a: 'a1' }, segments: { s: ['s1'] } })
  next.close()
  await earlier.warehouse.close()
})

test('does not touch a store that a live process has open', async () => {
  const { warehouse, stateDir } = await opened()
  mkdirSync(stateDir)
  writeFileSync(join(stateDir, 'lock'), String(process.ppid))
  expect(await openLocalState(stateDir, warehouse)).toBe(null)
  expect(existsSync(join(stateDir, 'log'))).toBe(false)
  await warehouse.close()
})

/** Returns the warehouse as one whose look-ups are costly; `stream` fails for texts with `failing`. */
function remote(warehouse: Warehouse, failing?: string): Warehouse {
  return new Proxy(warehouse, {
    get: (_, name: keyof Warehouse) => {
      if (name === 'isRemote') return true
      const member = warehouse[name]
      if (typeof member !== 'function') return member
      if (name !== 'stream' || failing === undefined) return member.bind(warehouse)
      return (sql: string) => {
        if (sql.includes(failing)) throw new Error('connection lost')
        return warehouse.stream(sql)
      }
    },
  })
}

test('a new store of a remote warehouse is filled at once, or not at all', async () => {
  const { warehouse, stateDir } = await opened()
  await warehouse.commit(remembering(1, ['a', 'b'], ['s']))
  await warehouse.commit(remembering(2, ['a'], ['s', 't']))
  const interrupted = openLocalState(stateDir, remote(warehouse, 'from history order'))
  await expect(interrupted).rejects.toThrow('connection lost')
  const seen: [number, number][] = []
  const onRebuild = (done: number, total: number) => seen.push([done, total])
  const state = (await openLocalState(stateDir, remote(warehouse), onRebuild)) as StateStore
  expect(await answers(state)).toEqual({
    images: { a: 'a2', b: 'b1' },
    segments: { s: ['s1', 's2'], t: ['t2'] },
  })
  expect(warehouse.reads).toMatchObject({ images: 0, segments: 0 })
  expect(seen).toEqual([[2, 6], [5, 6]]) // prettier-ignore
  await follow(state, warehouse, remembering(3, ['c'], ['t']))
  expect((await answers(state)).segments).toEqual({ s: ['s1', 's2'], t: ['t2', 't3'] })
  state.close()
  const next = await localState(stateDir, warehouse)
  await answers(next)
  expect(warehouse.reads).toMatchObject({ images: 0, segments: 0 })
  next.close()
  await warehouse.close()
})

test('a store of a new warehouse sends no queries', async () => {
  const { warehouse, stateDir } = await opened()
  const state = await localState(stateDir, warehouse)
  await follow(state, warehouse, remembering(1, ['a'], ['s']))
  await answers(state)
  expect(warehouse.reads).toMatchObject({ images: 0, segments: 0 })
  state.close()
  await warehouse.close()
})

const landing = (batch: number, eventIds: string[]) =>
  commitOf(batch, { inserts: new Map([['events', landedEvents(eventIds)]]) })
const hashOf = (eventId: string) => hashes64([eventId])
const isKnown = async (state: StateStore, eventId: string) =>
  (await state.fingerprints(hashOf(eventId))).size === 1

test('looks up the ids of landed events, and sends no query for new ones', async () => {
  const { path, warehouse, stateDir } = await opened()
  const state = await localState(stateDir, warehouse)
  await follow(state, warehouse, landing(1, ['e1']))
  const underWay = follow(state, warehouse, landing(2, ['e2']))
  expect([await isKnown(state, 'e1'), await isKnown(state, 'e2')]).toEqual([true, true])
  await underWay
  state.close()
  // The store has missed this batch.
  await warehouse.commit(landing(3, ['e3']))
  await warehouse.close()
  const again = await opened(path)
  const next = await localState(stateDir, again.warehouse)
  expect((await next.fingerprints(hashes64(['e1', 'e2', 'e3', 'e4']))).size).toBe(3)
  let queries = 0
  const fingerprints = again.warehouse.fingerprints.bind(again.warehouse)
  again.warehouse.fingerprints = (hashes) => {
    queries += 1
    return fingerprints(hashes)
  }
  expect([await isKnown(next, 'e3'), queries]).toEqual([true, 1])
  expect([await isKnown(next, 'new'), queries]).toEqual([false, 1])
  next.close()
  await again.warehouse.close()
})

test('continues from the parts of a load without a query', async () => {
  const { path, warehouse, stateDir } = await opened()
  const state = await localState(stateDir, warehouse)
  const parts = [remembering(1, ['a', 'b'], ['s']), remembering(1, [], ['t'])]
  parts[1]?.inserts.delete('batches')
  await warehouse.load?.(async ({ add }) => {
    for (const part of parts) {
      state.loading(part)
      await add(part)
    }
  })
  state.loaded(parts[0] as Commit)
  state.close()
  await warehouse.close()
  const again = await opened(path)
  const next = await localState(stateDir, again.warehouse)
  const expected = { images: { a: 'a1', b: 'b1' }, segments: { s: ['s1'], t: ['t1'] } }
  expect(await answers(next)).toEqual(expected)
  expect(again.warehouse.reads).toMatchObject({ images: 0, segments: 0 })
  next.close()
  await again.warehouse.close()
})

test.each(['closed', 'continued'])('drops the parts of a failed load when %s', async (how) => {
  const { path, warehouse, stateDir } = await opened()
  const state = await localState(stateDir, warehouse)
  state.loading(remembering(1, ['never'], ['never']))
  state.loaded(null)
  if (how === 'continued') await follow(state, warehouse, remembering(1, ['a'], ['s']))
  const expected = how === 'closed' ? [{}, {}] : [{ a: 'a1' }, { s: ['s1'] }]
  if (how === 'continued') expect(Object.values(await answers(state))).toEqual(expected)
  state.close()
  await warehouse.close()
  const again = await opened(path)
  const next = await localState(stateDir, again.warehouse)
  expect(Object.values(await answers(next))).toEqual(expected)
  next.close()
  await again.warehouse.close()
})

test('a load that dies or fails leaves the state of the commit before it', async () => {
  const { path, warehouse, stateDir } = await opened()
  const first = await localState(stateDir, warehouse)
  await follow(first, warehouse, remembering(1, ['a', 'b'], ['s']))
  first.close()
  rmSync(stateDir, { recursive: true })
  const expected = [{ a: 'a1', b: 'b1' }, { s: ['s1'] }]
  const state = await localState(stateDir, warehouse)
  const part = remembering(2, ['a'], ['s'])
  state.loading(part)
  // Reads of other keys must not complete the part.
  expect(await state.images('profile', ['b'])).toEqual(new Map([['b', 'b1']]))
  cpSync(stateDir, `${stateDir}-dead`, { recursive: true })
  const dead = await localState(`${stateDir}-dead`, warehouse)
  expect(Object.values(await answers(dead))).toEqual(expected)
  dead.close()
  state.loaded(null)
  expect(Object.values(await answers(state))).toEqual(expected)
  state.close()
  await warehouse.close()
  const again = await opened(path)
  const next = await localState(stateDir, again.warehouse)
  expect(Object.values(await answers(next))).toEqual(expected)
  next.close()
  await again.warehouse.close()
})

test('an erasure removes the store before it deletes anything', async () => {
  const { warehouse, stateDir } = await opened()
  const state = await localState(stateDir, warehouse)
  await follow(state, warehouse, remembering(1, ['a'], ['s']))
  state.close()
  const nothing = { events: [], names: ['a'], streams: [], emptied: ['s'], components: [] }
  const erasure = { ...nothing, letters: [], messages: [], dues: [] }
  const certificate = () =>
    arrowTable(
      'erasures',
      {
        kind: ['erased'],
        salt: [''],
        identifier_hashes: ['[]'],
        event_hashes: ['[]'],
        counts: ['{}'],
      },
      1,
    )
  await warehouse.erase(commitOf(2), erasure, certificate, true)
  expect(existsSync(stateDir)).toBe(true)
  await warehouse.erase(commitOf(2), erasure, certificate, false)
  expect(existsSync(stateDir)).toBe(false)
  await warehouse.close()
})
