/** Run loop: order of commits, and what an interruption leaves. */

import { expect, test } from 'vitest'
import { Pipeline } from '../../pipeline/microbatch/pipeline.ts'
import { ChunkDecoder } from '../../pipeline/decode/decode.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { run, type RunReport } from '../../pipeline/run.ts'
import type { Source } from '../../pipeline/io/source.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'

const definitions = makeDefinitions({})

/** Returns a source with chunks of one event each; `acknowledged` collects acknowledgements. */
function sourceOf(count: number, acknowledged: number[]): Source {
  return {
    origin: 'test',
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < count; i++) {
        const event = {
          event_id: `e${i}`,
          name: 'Go',
          occurred_at: 1_772_359_200_000 + i,
          identifiers: { user_id: 'u1' },
        }
        yield {
          bytes: new TextEncoder().encode(JSON.stringify(event)),
          origin: 'test',
          progress: { done: i, total: count },
          acknowledge: () => Promise.resolve(void acknowledged.push(i)),
        }
      }
    },
  }
}

async function start(
  warehouse: Warehouse,
  source: Source,
  more: { signal?: AbortSignal; watermark?: number; onBatch?: (report: RunReport) => void } = {},
): Promise<RunReport> {
  const pipeline = await Pipeline.open(warehouse, definitions)
  const decoder = new ChunkDecoder({
    identity: definitions.identity,
    operandPaths: pipeline.compiled.operandPaths,
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
    ...more,
  })
}

const landed = async (warehouse: Warehouse) =>
  (await warehouse.query('select count(*) as n from events'))[0]?.['n']

test('a chunk is acknowledged after its commit, in order', async () => {
  const warehouse = duckdbWarehouse(':memory:')
  const acknowledged: number[] = []
  const seen: string[] = []
  const onBatch = ({ landed: so, batches }: RunReport) =>
    void seen.push(`${batches} batches, ${so} landed, ${acknowledged.length} acknowledged`)
  await start(warehouse, sourceOf(3, acknowledged), { onBatch })
  expect(seen).toEqual([
    '1 batches, 1 landed, 1 acknowledged',
    '2 batches, 2 landed, 2 acknowledged',
    '3 batches, 3 landed, 3 acknowledged',
  ])
  await warehouse.close()
})

test('an interrupted run keeps its commits, and the next run processes the rest', async () => {
  const warehouse = duckdbWarehouse(':memory:')
  const controller = new AbortController()
  const acknowledged: number[] = []
  await start(warehouse, sourceOf(9, acknowledged), {
    signal: controller.signal,
    onBatch: () => controller.abort(),
  })
  expect(acknowledged.length).toBeLessThan(4)
  expect(await landed(warehouse)).toBe(acknowledged.length)
  await start(warehouse, sourceOf(9, []))
  expect(await landed(warehouse)).toBe(9)
  await warehouse.close()
})

test.each([
  [1, false],
  [3, true],
])(
  'a run of 3 batches that is interrupted after %i has isComplete %s',
  async (after, isComplete) => {
    const warehouse = duckdbWarehouse(':memory:')
    const controller = new AbortController()
    const onBatch = ({ batches }: RunReport) => {
      if (batches === after) controller.abort()
    }
    const report = await start(warehouse, sourceOf(3, []), { signal: controller.signal, onBatch })
    expect(report.isComplete).toBe(isComplete)
    await warehouse.close()
  },
)

test('a run without input commits a batch, so that the requested watermark applies', async () => {
  const warehouse = duckdbWarehouse(':memory:')
  const watermark = 1_800_000_000_000_000
  expect((await start(warehouse, sourceOf(0, []), { watermark })).batches).toBe(1)
  expect(await warehouse.query('select watermark, read_count from batches')).toEqual([
    { watermark, read_count: 0 },
  ])
  await warehouse.close()
})
