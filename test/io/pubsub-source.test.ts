/** Pub/Sub source: acknowledges a message after the commit of its events. */

import { expect, test } from 'vitest'
import { ChunkDecoder } from '../../pipeline/decode/decode.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { pubsubSource } from '../../pipeline/io/pubsub-source.ts'
import type { Source } from '../../pipeline/io/source.ts'
import { Pipeline } from '../../pipeline/microbatch/pipeline.ts'
import { run } from '../../pipeline/run.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { Crash, crashingWarehouse } from '../support/crash.ts'
import { emptyWarehouse } from '../support/reused-warehouse.ts'
import { SubscriptionServer } from '../support/subscription-server.ts'

const definitions = makeDefinitions({})
const MESSAGES = ['e1', 'e2', 'e3'].map((id) =>
  JSON.stringify({
    event_id: id,
    name: 'Go',
    occurred_at: '2026-03-02T10:00:00Z',
    identifiers: { user_id: 'u1' },
  }),
)

/** Source with one message per chunk. Like the client library, `close` sends the pending
 * acknowledgements. */
function subscription(signal: AbortSignal): Source & { close(): Promise<void> } {
  const source = pubsubSource(
    { project: 'shop', id: 'events' },
    { messagesMax: 1, waitMs: 0, signal },
  )
  const chunks = source[Symbol.asyncIterator]()
  return {
    ...source,
    [Symbol.asyncIterator]: () => chunks,
    close: async () => void (await chunks.return?.()),
  }
}

/** Reads the subscription until the signal aborts. */
async function work(warehouse: Warehouse, source: Source, signal: AbortSignal): Promise<void> {
  const pipeline = await Pipeline.open(warehouse, definitions)
  const decoder = new ChunkDecoder({
    identity: definitions.identity,
    operandPaths: pipeline.compiled.operandPaths,
    format: undefined,
    events: { events: {} },
    hashKey: undefined,
  })
  await run({
    pipeline,
    source,
    decode: async (chunk, _at, messages) =>
      decoder.decodeMessages(chunk, messages ?? expect.unreachable()),
    warehouseUrl: warehouse.url,
    watermark: null,
    signal,
  })
}

const landed = async (warehouse: Warehouse) =>
  (await warehouse.query('select event_id from events order by 1')).map(({ event_id }) => event_id)

test('acknowledges a message after its commit, whenever the worker dies', async () => {
  // Crashes before and after each of three commits; the last run ends when the server is empty.
  for (const at of [1, 2, 3, 4, 5, 6, Infinity]) {
    const warehouse = emptyWarehouse()
    await warehouse.open()
    const crash = new Crash(at)
    const isEmpty = new AbortController()
    const acknowledged: string[] = []
    const early: string[] = []
    const server = await SubscriptionServer.start(MESSAGES, (data) => {
      const { event_id } = JSON.parse(data) as { event_id: string }
      acknowledged.push(event_id)
      const commits = crash.steps.filter((step) => step === 'commit done').length
      if (!hasRestarted && commits <= MESSAGES.indexOf(data)) early.push(event_id)
      if (acknowledged.length === MESSAGES.length) isEmpty.abort()
    })
    let hasRestarted = false
    const source = subscription(isEmpty.signal)
    const life = work(crashingWarehouse(warehouse, crash), source, isEmpty.signal)
    await Promise.race([life, crash.happened])
    await source.close()
    const events = await landed(warehouse)
    const lost = acknowledged.filter((id) => !events.includes(id))
    expect({ at, early, lost }).toEqual({ at, early: [], lost: [] })
    hasRestarted = true
    await work(warehouse, subscription(isEmpty.signal), isEmpty.signal)
    expect({ at, events: await landed(warehouse) }).toEqual({ at, events: ['e1', 'e2', 'e3'] })
    server.stop()
    await warehouse.close()
  }
})
