/** Decoder thread as seen from the main thread. `run.ts` keeps two chunks in flight. */

import { textsOf } from './event-batch-builder.ts'
import type { EventBatch } from './event-batch.ts'
import type { DecodeOptions } from './line-decoder.ts'
import type { Messages } from './unpack-messages.ts'
import { moduleBeside, startThread } from '../base/worker-thread.ts'

/** Settings of the thread, which loads `events.ts` itself. */
export type DecoderSettings = Omit<DecodeOptions, 'events'>

/** Data that the thread is started with. */
export type DecoderSetup = { definitionsDir: string }

/** Request to the thread. */
export type DecodeRequest = { chunk: Uint8Array; landedAt: number; messages: Messages | undefined }

export type Decoder = {
  /** Gives the thread its settings, once and before anything is decoded. */
  configure(settings: DecoderSettings): void
  /** Decodes a chunk of whole lines, or of the given messages. `chunk` is transferred to the
   * thread; `landedAt` is in microseconds. Batches are returned in the order of the chunks. */
  decode(chunk: Uint8Array, landedAt: number, messages?: Messages): Promise<EventBatch>
  close(): Promise<void>
}

/** Starts the thread. If it dies, pending requests and later ones are rejected. */
export function startDecoder(definitionsDir: string): Decoder {
  const module = moduleBeside(import.meta.url, './decoder-worker.ts')
  const setup: DecoderSetup = { definitionsDir }
  const thread = startThread<DecoderSettings | DecodeRequest, EventBatch | null>(module, setup)
  return {
    configure: (settings) => {
      // Requests that follow are rejected for the same reason.
      thread.ask(settings, []).catch(() => undefined)
    },
    decode: async (chunk, landedAt, messages) => {
      const request = { chunk, landedAt, messages }
      const batch = (await thread.ask(request, [chunk.buffer as ArrayBuffer])) as EventBatch
      return { ...batch, eventId: textsOf(batch.eventIdText) }
    },
    close: () => thread.close(),
  }
}

/** Decodes a chunk into a batch; `decoder-worker.ts` does so in a worker thread. */
export type Decode = (
  chunk: Uint8Array,
  receivedAt: number,
  messages?: Messages,
) => Promise<EventBatch>
