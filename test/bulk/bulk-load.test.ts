/** Bulk loads: what a failure leaves, which inputs are refused, and deduplication across chunks. */

import { expect, test } from 'vitest'
import { ComponentTooLarge } from '../../pipeline/bulk/bulk-load.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
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
