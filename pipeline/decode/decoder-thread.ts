/** Decoder thread as seen from the main thread. `run.ts` keeps two chunks in flight. */

import type { EventBatch } from './event-batch.ts'
import type { DecodeOptions } from './line-decoder.ts'
import type { Messages } from './unpack-messages.ts'
import { moduleBeside, startThread } from '../base/worker-thread.ts'

/** Settings of the thread: plain data, and the folder of `events.ts`. */
export type DecoderSettings = Omit<DecodeOptions, 'events'> & { definitionsDir: string }

/** Request to the thread. */
export type DecodeRequest = { chunk: Uint8Array; landedAt: number; messages: Messages | undefined }

export type Decoder = {
  /** Decodes a chunk of whole lines, or of the given messages. `chunk` is transferred to the
   * thread; `landedAt` is in microseconds. Batches are returned in the order of the chunks. */
  decode(chunk: Uint8Array, landedAt: number, messages?: Messages): Promise<EventBatch>
  close(): Promise<void>
}

/** Starts the thread. If it dies, pending requests are rejected. */
export function startDecoder(settings: DecoderSettings): Decoder {
  const module = moduleBeside(import.meta.url, './decoder-worker.ts')
  const thread = startThread<DecodeRequest, EventBatch>(module, settings)
  return {
    decode: (chunk, landedAt, messages) =>
      thread.ask({ chunk, landedAt, messages }, [chunk.buffer as ArrayBuffer]),
    close: () => thread.close(),
  }
}

/** Decodes a chunk into a batch; `decoder-worker.ts` does so in a worker thread. */
export type Decode = (
  chunk: Uint8Array,
  receivedAt: number,
  messages?: Messages,
) => Promise<EventBatch>
