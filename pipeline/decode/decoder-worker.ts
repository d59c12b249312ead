/**
 * Worker thread that decodes chunks and posts batches in the same order. Its only state is the
 * definitions, loaded at start.
 */

import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import type { EventBatch } from './event-batch.ts'
import { ChunkDecoder } from './decode.ts'
import type { DecoderSetup, DecodeRequest, DecoderSettings } from './decoder-thread.ts'
import { loadEventDefinitions } from '../definition/load.ts'

const port = parentPort as MessagePort
const { definitionsDir } = workerData as DecoderSetup
const events = await loadEventDefinitions(definitionsDir)
let decoder: ChunkDecoder

port.on('message', (request: DecoderSettings | DecodeRequest) => {
  if (!('chunk' in request)) {
    decoder = new ChunkDecoder({ ...request, events })
    port.postMessage(null)
    return
  }
  const { chunk, landedAt, messages } = request
  const batch = messages ? decoder.decodeMessages(chunk, messages) : decoder.decode(chunk, landedAt)
  // The other thread makes the strings again, which takes less than moving them.
  port.postMessage({ ...batch, eventId: [] }, buffersOf(batch))
})

/** Returns the buffers to transfer instead of copying. */
function buffersOf(batch: EventBatch): ArrayBuffer[] {
  const columns = [
    batch.eventIdText.bytes,
    batch.eventIdText.offsets,
    batch.name.codes,
    batch.source.codes,
    batch.occurredAt,
    batch.receivedAt,
    batch.ordinal,
    ...batch.identifiers.map((column) => column.codes),
    batch.content.bytes,
    batch.content.offsets,
    batch.eventHash,
    batch.fingerprint,
    batch.lineFrom,
    batch.lineTo,
    batch.raw,
  ]
  return columns.map((column) => column.buffer as ArrayBuffer)
}
