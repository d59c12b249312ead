/**
 * Process under test: a run over a live source whose chunks come from the parent process. Each
 * acknowledgement is sent back with the current resident memory. The parent sends unacknowledged
 * chunks to the next process.
 */

import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { warehouseToFeed } from '../../pipeline/config.ts'
import { run } from '../../pipeline/run.ts'
import { openEngine } from '../../pipeline/runtime.ts'
import type { Chunk } from '../../pipeline/io/source.ts'

/** A chunk of lines, or the end of input. */
export type ToWorker = { number: number; text: string } | 'end'
export type FromWorker = { acknowledged: number; memoryBytes: number }

export const WORKER = fileURLToPath(import.meta.url)

/** Yields the chunks that the parent process sends. */
async function* received(): AsyncGenerator<Chunk> {
  const waiting: ToWorker[] = []
  process.on('message', (message: ToWorker) => waiting.push(message))
  for (;;) {
    while (waiting.length === 0) await once(process, 'message')
    const message = waiting.shift() as ToWorker
    if (message === 'end') return
    const { number, text } = message
    yield {
      bytes: new TextEncoder().encode(text),
      origin: 'soak',
      progress: { done: number, total: null },
      acknowledge: () => {
        const { rss } = process.memoryUsage()
        const said: FromWorker = { acknowledged: number, memoryBytes: rss }
        process.send?.(said)
        return Promise.resolve()
      },
    }
  }
}

async function work(url: string): Promise<void> {
  const chunks = received()
  const warehouse = warehouseToFeed(url)
  const settings = { definitionsDir: 'definitions', format: undefined, effects: undefined }
  const engine = await openEngine(warehouse, settings, {})
  const source = { origin: 'soak', isLive: true, [Symbol.asyncIterator]: () => chunks }
  await run({ ...engine, source, warehouseUrl: url, watermark: null })
  await engine.close()
  await warehouse.close()
  process.disconnect()
}

const [, script, url] = process.argv
if (script === WORKER && url !== undefined) {
  process.on('disconnect', () => process.exit())
  await work(url)
}
