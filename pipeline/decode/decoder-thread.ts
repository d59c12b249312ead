/** The main thread's handle on the decoding thread; `run.ts` has two chunks on the way. */

import type { EventBatch } from './event-batch.ts'
import type { DecodeOptions } from './decode.ts'
import type { Messages } from './unpack-messages.ts'
import { moduleBeside, startThread } from '../base/worker-thread.ts'

/** What the thread is started with: plain data, and where it finds `events.ts`. */
export type DecoderSettings = Omit<DecodeOptions, 'events'> & { definitionsDir: string }

/** What the thread is sent. */
export type DecodeRequest = { chunk: Uint8Array; landedAt: number; messages: Messages | undefined }

export type Decoder = {
  /** `chunk` is whole lines, or the given messages, and is the thread's afterwards; `landedAt` in
   * microseconds. Batches come in the order of the chunks. */
  decode(chunk: Uint8Array, landedAt: number, messages?: Messages): Promise<EventBatch>
  close(): Promise<void>
}

/** Starts the thread. When it dies, everything on the way is rejected. */
export function startDecoder(settings: DecoderSettings): Decoder {
  const module = moduleBeside(import.meta.url, './decoder-worker.ts')
  const thread = startThread<DecodeRequest, EventBatch>(module, settings)
  return {
    decode: (chunk, landedAt, messages) =>
      thread.ask({ chunk, landedAt, messages }, [chunk.buffer as ArrayBuffer]),
    close: () => thread.close(),
  }
}

/** Turns chunks of bytes into batches; `decoder.ts` does it in a worker thread. */
export type Decode = (
  chunk: Uint8Array,
  receivedAt: number,
  messages?: Messages,
) => Promise<EventBatch>
