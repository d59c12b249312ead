/**
 * The main thread's handle on the decoding thread. Chunks go in and batches come back in order;
 * the caller bounds how many are on the way (`run.ts`: two).
 */

import { Worker } from 'node:worker_threads'
import type { EventBatch } from './batch.ts'
import type { DecodeOptions } from './decode.ts'
import type { Messages } from './messages.ts'

/** What the thread is started with: plain data, and where it finds `events.ts`. */
export type DecoderSettings = Omit<DecodeOptions, 'events'> & { definitionsDir: string }

/** What the thread is sent. */
export type DecodeRequest = { chunk: Uint8Array; landedAt: number; messages: Messages | undefined }

type Waiting = { resolve(batch: EventBatch): void; reject(error: Error): void }

export type Decoder = {
  /** `chunk` is whole lines, or the given messages, and is the thread's afterwards; `landedAt` in
   * microseconds. */
  decode(chunk: Uint8Array, landedAt: number, messages?: Messages): Promise<EventBatch>
  close(): Promise<void>
}

/** Most of what decoding makes dies young: the nursery is kept small, memory being the bound. */
const resourceLimits = { maxYoungGenerationSizeMb: 16 }

/** The worker lies beside this file, as a TypeScript source or, in a package, as JavaScript. A
 * thread does not inherit the loaders of sources: they are registered first. */
const IS_SOURCE = import.meta.url.endsWith('.ts')
const WORKER = IS_SOURCE ? './decode-worker.ts' : './decode-worker.js'
const LOADERS = IS_SOURCE ? ['tsx/cjs/api', 'tsx/esm/api'] : []
const STARTER = `
  const loaders = ${JSON.stringify(LOADERS.map((name) => import.meta.resolve(name)))}
  Promise.all(loaders.map((loader) => import(loader)))
    .then((loaded) => loaded.forEach(({ register }) => register()))
    .then(() => import(${JSON.stringify(new URL(WORKER, import.meta.url).href)}))
`

/** Starts the thread. When it dies, everything on the way is rejected. */
export function startDecoder(settings: DecoderSettings): Decoder {
  const worker = new Worker(STARTER, {
    eval: true,
    workerData: settings,
    execArgv: [],
    resourceLimits,
  })
  const waiting: Waiting[] = []
  let failure: Error | null = null
  const fail = (error: Error) => {
    failure ??= error
    for (const { reject } of waiting.splice(0)) reject(failure)
  }
  worker.on('message', (batch: EventBatch) => waiting.shift()?.resolve(batch))
  worker.on('error', fail)
  worker.on('exit', () => fail(new Error('the decoding thread has ended')))
  return {
    decode: (chunk, landedAt, messages) =>
      new Promise((resolve, reject) => {
        if (failure !== null) {
          reject(failure)
          return
        }
        waiting.push({ resolve, reject })
        const request: DecodeRequest = { chunk, landedAt, messages }
        worker.postMessage(request, [chunk.buffer as ArrayBuffer])
      }),
    close: async () => {
      await worker.terminate()
    },
  }
}
