/** Bulk loads: what a failure leaves, which inputs are refused, and deduplication across chunks. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ComponentTooLarge } from '../../pipeline/bulk/bulk-load.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { failedChecks } from '../../pipeline/warehouse/integrity-checks.ts'
import { Harness } from '../support/dump.ts'

const eventOf = (id: string, device: string, more = '') =>
  `{"event_id":"${id}","name":"Go","occurred_at":"2026-03-01T10:00:00Z",` +
  `"identifiers":{"anonymous_id":"${device}"}${more}}`

async function countsOf({ warehouse }: Harness) {
  const [counts] = await warehouse.query(
    `select (select count(*) from events) as events, (select count(*) from dead_letters) as letters,
       (select count(*) from batches) as batches, (select count(*) from sessions) as sessions`,
  )
  return counts
}

test('drops an event that a later chunk repeats, and refuses one that it changes', async () => {
  const harness = new Harness(makeDefinitions({}))
  const chunks = [
    [eventOf('e1', 'd1'), eventOf('e2', 'd2')],
    [eventOf('e1', 'd1', ',"context":{}'), eventOf('e2', 'd9', ',"source":"web"'), 'no JSON'],
    ['no JSON', eventOf('e3', 'd1')],
  ]
  const outcome = await harness.load(chunks, null)
  expect(outcome).toMatchObject({ read: 7, landed: 3, duplicates: 1 })
  expect(Object.fromEntries(outcome.refused)).toEqual({ duplicate_event_id: 1, invalid_json: 2 })
  expect(await countsOf(harness)).toEqual({ events: 3, letters: 2, batches: 1, sessions: 2 })
  const [batch] = await harness.warehouse.query(
    'select read_count, landed_count, duplicate_count, rejected_count from batches',
  )
  expect(batch).toEqual({ read_count: 7, landed_count: 3, duplicate_count: 1, rejected_count: 3 })
  expect(await harness.feed([eventOf('e3', 'd1'), eventOf('e4', 'd1')])).toMatchObject({
    landed: 1,
    duplicates: 1,
  })
  await harness.warehouse.close()
})

test('leaves an empty warehouse after a failure and after a component that is too large', async () => {
  const harness = new Harness(makeDefinitions({}))
  const lines = ['e1', 'e2', 'e3'].map((id) => eventOf(id, 'd1'))
  const none = { events: 0, letters: 0, batches: 0, sessions: 0 }
  await expect(harness.load([lines], null, { componentEvents: 2 })).rejects.toThrow(
    ComponentTooLarge,
  )
  expect(await countsOf(harness)).toEqual(none)
  const broken = [lines, null as unknown as string[]]
  await expect(harness.load(broken, null)).rejects.toThrow()
  expect(await countsOf(harness)).toEqual(none)
  await harness.feed(lines)
  expect(await countsOf(harness)).toEqual({ events: 3, letters: 0, batches: 1, sessions: 1 })
  await harness.warehouse.close()
})

test('counts a long event as several', async () => {
  const harness = new Harness(makeDefinitions({}))
  const lines = [2_000, 5_000].map((length) => {
    return eventOf(`e${length}`, 'd1', `,"properties":{"text":"${'x'.repeat(length - 150)}"}`)
  })
  const loading = harness.load([lines], null, { componentEvents: 3 })
  await expect(loading).rejects.toThrow('one component has 4 events')
  expect(await harness.load([lines], null, { componentEvents: 4 })).toMatchObject({ landed: 2 })
  await harness.warehouse.close()
})

test('leaves stored events and their state as they were after a failure', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
  const harness = new Harness(makeDefinitions({}), undefined, undefined, join(dir, 'state'))
  const linesOf = (numbers: number[]) => numbers.map((n) => eventOf(`e${n}`, `d${n % 3}`))
  await harness.feed(linesOf([1, 2, 3]))
  const before = await countsOf(harness)
  const { warehouse } = harness
  const onPart = () => {
    throw new Error('the disk is full')
  }
  const loading = harness.load([linesOf([4, 5, 6])], null, { partEvents: 1, onPart })
  await expect(loading).rejects.toThrow('the disk is full')
  expect(await countsOf(harness)).toEqual(before)
  // The same lines again, over the state that the failed load has left.
  expect(await harness.load([linesOf([4, 5, 6])], null, { partEvents: 1 })).toMatchObject({
    landed: 3,
  })
  await harness.feed(linesOf([7, 8, 9]))
  expect(await countsOf(harness)).toEqual({ events: 9, letters: 0, batches: 3, sessions: 3 })
  expect((await failedChecks(warehouse)).failed).toEqual([])
  harness.restart(true)
  await warehouse.close()
  rmSync(dir, { recursive: true })
})
