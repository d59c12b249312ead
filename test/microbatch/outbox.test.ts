/** The outbox: which effects are written, expire and are retracted, and how often. */

import { expect, test } from 'vitest'
import type { Journey } from '../../pipeline/definition/journey.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { Harness } from '../support/dump.ts'

const journey: Journey = {
  id: 'j',
  version: 1,
  initial: 'a',
  startOn: ['Start'],
  states: {
    a: { on: { Go: 'b', Hold: 'held', Stop: 'c' } },
    held: { on: { Go: 'b' }, ignore: ['Stop'] },
    b: { on: { Stop: 'c' }, effects: [{ type: 'mail', within: '1h' }] },
    c: { type: 'final' },
  },
}

let events = 0
const event = (time: string, name: string, user = 'u1') =>
  JSON.stringify({
    event_id: `e${(events += 1)}`,
    name,
    occurred_at: `2026-03-01T${time}Z`,
    identifiers: { user_id: user },
  })

/** Rows of the outbox after batches of one event each. */
const outboxOf = (...batches: string[]) => outboxUnder(journey, batches)

async function outboxUnder(one: Journey, batches: string[]): Promise<string[]> {
  const harness = new Harness(makeDefinitions({ journeys: [one] }))
  for (const batch of batches) await harness.feed([batch])
  const rows = await harness.warehouse.query(
    'select kind, status from effects_log order by recorded_by, effect_no',
  )
  await harness.warehouse.close()
  return rows.map(({ kind, status }) => `${kind} ${status}`)
}

const go = () => [event('10:00:00', 'Start'), event('10:30:00', 'Go')] as const

test('an effect expires if its transition is further behind the watermark than within', async () => {
  const [start, late] = go()
  expect(await outboxOf(start, event('11:30:00', 'Seen', 'u2'), late)).toEqual(['effect due'])
  expect(await outboxOf(start, event('11:30:00.000001', 'Seen', 'u2'), late)).toEqual([
    'effect expired',
  ])
})

test('an effect without a limit never expires', async () => {
  const [start, late] = go()
  const b = { on: { Stop: 'c' }, effects: [{ type: 'mail' }] }
  const lasting: Journey = { ...journey, states: { ...journey.states, b } }
  const batches = [start, event('23:00:00', 'Seen', 'u2'), late]
  expect(await outboxUnder(lasting, batches)).toEqual(['effect due'])
})

test('a superseded effect is retracted once, however often it comes and goes', async () => {
  const batches = [...go(), event('10:20:00', 'Stop')]
  expect(await outboxOf(...batches)).toEqual(['effect due', 'retraction due'])
  batches.push(event('10:10:00', 'Hold'))
  expect(await outboxOf(...batches)).toEqual(['effect due', 'retraction due'])
  batches.push(event('10:05:00', 'Stop'))
  expect(await outboxOf(...batches)).toEqual(['effect due', 'retraction due'])
})

test('an expired effect is not retracted', async () => {
  const [start, late] = go()
  const batches = [start, event('12:00:00', 'Seen', 'u2'), late, event('10:20:00', 'Stop')]
  expect(await outboxOf(...batches)).toEqual(['effect expired'])
})

test('an effect whose transition stays is neither written again nor retracted', async () => {
  const batches = [...go(), event('10:10:00', 'Hold')]
  expect(await outboxOf(...batches)).toEqual(['effect due'])
})
