/**
 * At-least-once delivery across crashes. Each test crashes the process at its first step, then at a
 * later one, and so on, and restarts it after each crash. Nothing may be acknowledged, reported or
 * published before it is committed, and in the end nothing may be missing or duplicated.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ChunkDecoder } from '../../pipeline/decode/decode.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { fileSource } from '../../pipeline/io/file-source.ts'
import { landedSource, messageOfBody } from '../../pipeline/io/inbox-source.ts'
import { SharedWrite } from '../../pipeline/io/inbox-writer.ts'
import { EffectPublisher, type EffectMessage } from '../../pipeline/io/outbox-publisher.ts'
import type { Source } from '../../pipeline/io/source.ts'
import { Pipeline } from '../../pipeline/microbatch/pipeline.ts'
import { run, type RunOptions } from '../../pipeline/run.ts'
import type { Row, Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { Crash, crashingTopic, crashingWarehouse } from '../support/crash.ts'
import { isLong } from '../support/long.ts'
import { emptyWarehouse } from '../support/reused-warehouse.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

/** Odd, because steps before a write alternate with steps after it. */
const STRIDE = isLong ? 1 : 3

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

/** Produces two effects. The late `Stay` of the second chunk retracts the first one. */
const CHUNKS = [
  [line('e1', 'Pack', 0), line('e2', 'Leave', 10)],
  [line('e3', 'Stay', 5), 'broken'],
  [line('e4', 'Pack', 20, 'u2'), line('e5', 'Leave', 21, 'u2')],
]

/** State outside the process, which survives a crash. */
type World = {
  warehouse: Warehouse
  /** Chunks of `CHUNKS` that were acknowledged. */
  acknowledged: Set<number>
  /** Lines that a run reported as landed. */
  reported: number
  published: EffectMessage[]
}

type Life = (world: World, crash: Crash) => Promise<void>

/** One process from start to end. */
async function processAll(
  { warehouse, published }: World,
  crash: Crash,
  more: Pick<RunOptions, 'source' | 'onBatch'> & { effects?: boolean },
): Promise<void> {
  const guarded = crashingWarehouse(warehouse, crash)
  const pipeline = await Pipeline.open(guarded, definitions)
  const topic = crashingTopic(
    {
      name: 'pubsub:shop/effects',
      publish: (messages) => Promise.resolve(void published.push(...messages)),
    },
    crash,
  )
  const publisher = more.effects ? await EffectPublisher.open(guarded, topic, {}) : null
  const decoder = new ChunkDecoder({
    identity: definitions.identity,
    operandPaths: pipeline.compiled.operandPaths,
    format: undefined,
    events: { events: {} },
    hashKey: undefined,
  })
  await run({
    ...more,
    pipeline,
    decode: (chunk, receivedAt, messages) =>
      Promise.resolve(
        messages === undefined
          ? decoder.decode(chunk, receivedAt)
          : decoder.decodeMessages(chunk, messages),
      ),
    warehouseUrl: warehouse.url,
    watermark: null,
    publish: publisher === null ? undefined : () => publisher.publish(),
  })
}

/** Returns the unacknowledged chunks, as a subscription delivers them. */
function redelivery({ acknowledged }: World, crash: Crash): Source {
  return {
    origin: 'test',
    isLive: true,
    async *[Symbol.asyncIterator]() {
      for (const [i, lines] of CHUNKS.entries()) {
        if (acknowledged.has(i)) continue
        yield {
          bytes: new TextEncoder().encode(lines.join('\n')),
          origin: 'test',
          progress: { done: i, total: null },
          acknowledge: () =>
            crash.through('acknowledge', () => Promise.resolve(void acknowledged.add(i))),
        }
      }
    },
  }
}

const subscription: Life = (world, crash) =>
  processAll(world, crash, { source: redelivery(world, crash), effects: true })

/** Reads the file from its beginning, and starts a batch while the previous one commits. */
const file: Life = async (world, crash) => {
  const path = join(dir, 'events.ndjson')
  writeFileSync(path, CHUNKS.flat().join('\n'))
  const chunks = await fileSource([path], { linesMax: 2 })
  const source: Source = {
    origin: chunks.origin,
    async *[Symbol.asyncIterator]() {
      let i = 0
      for await (const chunk of chunks) {
        const number = i++
        const acknowledge = async () => {
          await chunk.acknowledge()
          world.acknowledged.add(number)
        }
        yield { ...chunk, acknowledge: () => crash.through('acknowledge', acknowledge) }
      }
    },
  }
  const onBatch: RunOptions['onBatch'] = ({ landed }) =>
    void (world.reported = Math.max(world.reported, landed))
  await processAll(world, crash, { source, onBatch })
}

/** Calls `ingest` and `advance` per message; the sender repeats requests that failed. */
const inbox: Life = async (world, crash) => {
  const guarded = crashingWarehouse(world.warehouse, crash)
  await guarded.open()
  const write = new SharedWrite(guarded, {}, { messagesMax: 1, bytesMax: 1, waitMs: 0 })
  for (const [i, lines] of CHUNKS.entries()) {
    if (!world.acknowledged.has(i)) {
      const data = Buffer.from(lines.join('\n')).toString('base64')
      const body = { message: { messageId: `${i}`, data, publishTime: '2026-03-02T10:00:00Z' } }
      await write.land(messageOfBody(body, 0) ?? expect.unreachable())
      const answer = () => Promise.resolve(void world.acknowledged.add(i))
      await crash.through('acknowledge', answer)
    }
    const source = landedSource(guarded, new AbortController().signal)
    await processAll(world, crash, { source })
  }
}

const OUTBOX = `select effect_id || ' ' || kind from effects_log where status = 'due'`
const column = (rows: Row[]) => rows.map((row) => Object.values(row)[0] as string).toSorted()

/** Returns what a reader finds in the end. */
async function found({ warehouse }: World) {
  const transitions = column(await warehouse.query('select transition_id from transitions'))
  const events = column(await warehouse.query('select event_id from events'))
  const refused = await warehouse.query('select reason from dead_letters')
  const applied = column(await warehouse.query('select distinct message_id from applied_messages'))
  return { transitions, events, refused, applied, outbox: column(await warehouse.query(OUTBOX)) }
}

const wordsOf = ({ published }: World) =>
  published.map(({ attributes: { effect_id, kind } }) => `${effect_id} ${kind}`)

/** Checks that nothing was acknowledged, reported or published before its commit. */
async function expectCommitted(world: World, where: object): Promise<void> {
  const { warehouse, acknowledged, reported } = world
  const events = column(await warehouse.query('select event_id from events'))
  const landed = column(await warehouse.query('select message_id from landed_messages'))
  const lost = [...acknowledged].filter(
    (i) =>
      !landed.includes(`${i}`) &&
      CHUNKS[i]?.some((text) => text !== 'broken' && !events.includes(JSON.parse(text).event_id)),
  )
  expect({ ...where, lost }).toEqual({ ...where, lost: [] })
  expect(reported).toBeLessThanOrEqual(events.length)
  const outbox = column(await warehouse.query(OUTBOX))
  const ahead = wordsOf(world).filter((word) => !outbox.includes(word))
  expect({ ...where, ahead }).toEqual({ ...where, ahead: [] })
}

/** Checks that steps which require a durable write started after it. A write in progress during a
 * crash may or may not be lost. */
function expectInOrder(steps: readonly string[], durable: string): void {
  let count = 0
  for (const [i, step] of steps.entries()) {
    if (step === `${durable} done`) count += 1
    if (step === 'acknowledge') count -= 1
    expect({ steps: steps.slice(0, i + 1), isAhead: count < 0 }).toMatchObject({ isAhead: false })
  }
}

/** Runs without a crash, then crashes at each step in turn, or at every third. Returns the number of
 * steps. */
async function dieAtEachStep(life: Life, durable: string, publishes = false): Promise<number> {
  let expected: Awaited<ReturnType<typeof found>> | null = null
  let stepCount = 1
  for (let at = 0; at <= stepCount; at += at === 0 ? 1 : STRIDE) {
    const warehouse = emptyWarehouse()
    await warehouse.open()
    const world: World = { warehouse, acknowledged: new Set(), reported: 0, published: [] }
    const crash = new Crash(at === 0 ? undefined : at)
    const lived = life(world, crash).then(() => true)
    const isOver = await Promise.race([lived, crash.happened.then(() => false)])
    const where = { at, step: crash.steps.at(-1) }
    if (at === 0) stepCount = crash.steps.length
    expect({ ...where, isOver }).toEqual({ ...where, isOver: at === 0 })
    expectInOrder(crash.steps, durable)
    await expectCommitted(world, where)
    if (!isOver) await life(world, new Crash())
    const tables = await found(world)
    expected ??= tables
    expect({ ...where, ...tables }).toEqual({ ...where, ...expected })
    const missing = tables.outbox.filter((word) => !wordsOf(world).includes(word))
    if (publishes) expect({ ...where, missing }).toEqual({ ...where, missing: [] })
    await warehouse.close()
  }
  return stepCount
}

test('a file run acknowledges and reports a chunk after its commit', async () => {
  expect(await dieAtEachStep(file, 'commit')).toBe(12)
})

test('a subscription run acknowledges after the commit and the publishing of effects', async () => {
  expect(await dieAtEachStep(subscription, 'commit', true)).toBe(26)
})

test('a message is answered after it is stored, and applied by exactly one commit', async () => {
  expect(await dieAtEachStep(inbox, 'append')).toBe(18)
})
