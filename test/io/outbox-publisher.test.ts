/** Outbox publisher: publishes effects after the commit, once normally, again after a failure. */

import { expect, test } from 'vitest'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import {
  EffectPublisher,
  type EffectMessage,
  type EffectTopic,
} from '../../pipeline/io/outbox-publisher.ts'
import { backoffMs, isTransient, retrying, type Retry } from '../../pipeline/base/retry.ts'
import { Harness } from '../support/dump.ts'

const definitions = makeDefinitions({
  journeys: [
    {
      id: 'trip',
      version: 1,
      initial: 'packing',
      startOn: ['Pack'],
      states: {
        packing: { on: { Leave: 'away', Stay: 'home' } },
        away: { on: { Return: 'packing' }, effects: [{ type: 'postcard' }] },
        home: { type: 'final' },
      },
    },
  ],
})

const line = (id: string, name: string, minute: number, user = 'u1') =>
  JSON.stringify({
    event_id: id,
    name,
    occurred_at: `2026-03-01T10:${String(minute).padStart(2, '0')}:00Z`,
    identifiers: { user_id: user },
  })

/** Topic that keeps messages and fails on request. */
class Shelf implements EffectTopic {
  readonly name = 'pubsub:shop/effects'
  readonly taken: EffectMessage[] = []
  readonly failures: Error[] = []

  publish(messages: EffectMessage[]): Promise<void> {
    this.taken.push(...messages)
    const failure = this.failures.shift()
    return failure === undefined ? Promise.resolve() : Promise.reject(failure)
  }

  get kinds(): string[] {
    return this.taken.map(({ attributes }) => attributes.kind)
  }
}

const unavailable = () => Object.assign(new Error('14 UNAVAILABLE: no connection'), { code: 14 })

test('publishes an effect, and its retraction when the transition is superseded', async () => {
  const harness = new Harness(definitions)
  const topic = new Shelf()
  await harness.pipeline()
  const publisher = await EffectPublisher.open(harness.warehouse, topic, {})
  await harness.feed([line('e1', 'Pack', 0), line('e2', 'Leave', 10)])
  await publisher.publish()
  await harness.feed([line('e3', 'Stay', 5)])
  await publisher.publish()
  await publisher.publish()
  expect(topic.kinds).toEqual(['effect', 'retraction'])
  const [effect, retraction] = topic.taken
  expect(retraction?.attributes.effect_id).toBe(effect?.attributes.effect_id)
  expect(retraction?.orderingKey).toBe(effect?.orderingKey)
  expect(JSON.parse(String(effect?.data))).toMatchObject({
    effect_id: effect?.attributes.effect_id,
    kind: 'effect',
    type: 'postcard',
    journey: 'trip',
    profile_id: 'user_id:u1',
    occurred_at: '2026-03-01T10:10:00.000000Z',
  })
  await harness.warehouse.close()
})

test('publishes the effects of a batch in the order of their transitions', async () => {
  const harness = new Harness(definitions)
  const topic = new Shelf()
  await harness.pipeline()
  const publisher = await EffectPublisher.open(harness.warehouse, topic, {})
  const names = ['Pack', 'Leave', 'Return', 'Leave', 'Return', 'Leave']
  await harness.feed(names.map((name, i) => line(`e${i}`, name, i)))
  await publisher.publish()
  const minutes = topic.taken.map(({ data }) => JSON.parse(String(data)).occurred_at.slice(14, 16))
  expect(minutes).toEqual(['01', '03', '05'])
  expect(new Set(topic.taken.map(({ orderingKey }) => orderingKey)).size).toBe(1)
  await harness.warehouse.close()
})

test('publishes again what the topic accepted before a crash, but nothing recorded earlier', async () => {
  const harness = new Harness(definitions)
  const topic = new Shelf()
  await harness.pipeline()
  const publisher = await EffectPublisher.open(harness.warehouse, topic, {})
  await harness.feed([line('e1', 'Pack', 0), line('e2', 'Leave', 1)])
  await publisher.publish()
  await harness.feed([line('e3', 'Return', 2), line('e4', 'Leave', 3)])
  topic.failures.push(new Error('the power is gone'))
  await expect(publisher.publish()).rejects.toThrow('the power is gone')
  harness.restart()
  await harness.pipeline()
  await EffectPublisher.open(harness.warehouse, topic, {})
  const ids = topic.taken.map(({ attributes }) => attributes.effect_id)
  expect(ids).toHaveLength(3)
  expect(ids[2]).toBe(ids[1])
  expect(ids[1]).not.toBe(ids[0])
  await harness.warehouse.close()
})

test('does not send what was in the outbox before the topic was configured', async () => {
  const harness = new Harness(definitions)
  const topic = new Shelf()
  await harness.feed([line('e1', 'Pack', 0), line('e2', 'Leave', 1)])
  const publisher = await EffectPublisher.open(harness.warehouse, topic, {})
  expect(topic.taken).toEqual([])
  await harness.feed([line('e3', 'Return', 2), line('e4', 'Leave', 3)])
  await publisher.publish()
  expect(topic.kinds).toEqual(['effect'])
  await harness.warehouse.close()
})

test('reports and retries a transient failure, and does not retry any other', async () => {
  const harness = new Harness(definitions)
  const topic = new Shelf()
  const retries: Retry[] = []
  await harness.pipeline()
  const onRetry = (retry: Retry) => void retries.push(retry)
  const publisher = await EffectPublisher.open(harness.warehouse, topic, { onRetry })
  await harness.feed([line('e1', 'Pack', 0), line('e2', 'Leave', 1)])
  topic.failures.push(unavailable())
  await publisher.publish()
  expect(topic.kinds).toEqual(['effect', 'effect'])
  expect(retries).toEqual([
    {
      what: 'publishing',
      fault: '14 UNAVAILABLE: no connection',
      attempt: 1,
      waitMs: expect.any(Number),
    },
  ])
  expect(isTransient(Object.assign(new Error('forbidden'), { code: 7 }))).toBe(false)
  expect(isTransient(Object.assign(new Error('reset'), { code: 'ECONNRESET' }))).toBe(true)
  await harness.warehouse.close()
})

test('stops retrying with the failure when its signal aborts', async () => {
  const controller = new AbortController()
  const onRetry = () => controller.abort()
  const work = () => Promise.reject(unavailable())
  const patience = { onRetry, signal: controller.signal }
  await expect(retrying('work', work, patience)).rejects.toThrow('14 UNAVAILABLE')
})

test('waits twice as long before each retry, up to a limit, less up to half of it', () => {
  const waits = (attempt: number) => Array.from({ length: 200 }, () => backoffMs(attempt, 250, 900))
  for (const [attempt, most] of [250, 500, 900, 900].entries()) {
    const found = waits(attempt + 1)
    expect(Math.max(...found)).toBeLessThanOrEqual(most)
    expect(Math.min(...found)).toBeGreaterThanOrEqual(most / 2)
    expect(new Set(found).size).toBeGreaterThan(10)
  }
})
