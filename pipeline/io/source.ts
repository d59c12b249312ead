/**
 * Where messages come from. A source gives chunks of whole lines, and is told when the batch made
 * of a chunk is committed; before that it must be able to give the same lines again.
 */

import type { Messages } from '../decode/unpack-messages.ts'
import type { LandedKey } from '../warehouse/warehouse.ts'

export type Chunk = {
  /** Whole lines of NDJSON; or messages, if it says so. */
  bytes: Uint8Array
  messages?: Messages
  /** Landed messages that it is made of. */
  applying?: readonly LandedKey[]
  /** Where they are from, for the `batches` and `dead_letters` tables. */
  origin: string
  /** How far the source is with this chunk, in bytes; `total` null when nobody can know. */
  progress: { done: number; total: number | null }
  /** Called once, after the commit. */
  acknowledge(): Promise<void>
}

export interface Source extends AsyncIterable<Chunk> {
  /** What the source is called when it gives nothing. */
  readonly origin: string
  /** True when a chunk may be long in coming, or come only after the one before is acknowledged:
   * it is asked for ahead, but not waited for. */
  readonly isLive?: boolean
}
