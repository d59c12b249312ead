/**
 * Where messages come from. A source gives chunks of whole lines, and is told when the batch made
 * of a chunk is committed; before that it must be able to give the same lines again.
 */

export type Chunk = {
  /** Whole lines of NDJSON. */
  bytes: Uint8Array
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
}
