/**
 * Contract of sources. A source yields chunks of whole lines. It is notified when the batch of a
 * chunk is committed; until then it must be able to yield the same lines again.
 */

import type { Messages } from '../decode/unpack-messages.ts'
import type { LandedKey } from '../warehouse/warehouse.ts'

export type Chunk = {
  /** Whole lines of NDJSON, or message payloads when `messages` is set. */
  bytes: Uint8Array
  messages?: Messages
  /** Inbox messages that the chunk contains. */
  applying?: readonly LandedKey[]
  /** Value of the column `origin` in `batches` and `dead_letters`. */
  origin: string
  /** Bytes read so far including this chunk; `total` is null when the size is unknown. */
  progress: { done: number; total: number | null }
  /** Called once, after the commit. */
  acknowledge(): Promise<void>
  /** Called at most once, when nothing reads the chunk any more, with its bytes as decoded. The source
   * overwrites them. */
  reuse?(bytes: Uint8Array): void
}

export interface Source extends AsyncIterable<Chunk> {
  /** Origin used when the source yields nothing. */
  readonly origin: string
  /** True when the next chunk may take long or requires the acknowledgement of the previous one: it
   * is requested ahead but not waited for. */
  readonly isLive?: boolean
  /** Size of the whole input, if it is known and can be read again. */
  readonly bytes?: number
}
