/** A chunk of a source whose decoding has begun. */

import { now } from '../base/clock.ts'
import type { Decode } from '../decode/decoder-thread.ts'
import type { EventBatch } from '../decode/event-batch.ts'
import type { Chunk } from './source.ts'

export type Decoding = {
  chunk: Chunk
  /** When it was read, microseconds. */
  receivedAt: number
  /** May reject before it is awaited. */
  batch: Promise<EventBatch>
}

/** Reads the next chunk and begins to decode it. Returns null at the end, or once `signal` has
 * aborted. */
export async function nextDecoding(
  chunks: AsyncIterator<Chunk>,
  { decode, signal }: { decode: Decode; signal?: AbortSignal },
): Promise<Decoding | null> {
  if (signal?.aborted) return null
  const { done, value: chunk } = await chunks.next()
  if (done) return null
  const receivedAt = now()
  const batch = decode(chunk.bytes, receivedAt, chunk.messages)
  batch.catch(() => undefined)
  return { chunk, receivedAt, batch }
}
