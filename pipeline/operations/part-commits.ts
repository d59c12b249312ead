/**
 * Commits of a history that is derived part by part, in order (`bulk/part-pool.ts`). A commit is
 * written while the next parts are derived. The origin of each records the position, so an interrupted build resumes after
 * it. The number of threads does not affect rows.
 */

import { now } from '../base/clock.ts'
import { CommitBuilder } from '../microbatch/commit-builder.ts'
import type { Cut, PartPool } from '../bulk/part-pool.ts'
import type { Head, Warehouse } from '../warehouse/warehouse.ts'

/** Parallelism of a build. It does not affect rows. */
export type Spread = {
  /** Threads that derive, this one included. */
  parallel?: number
  /** Number of events of a part of whole profiles or components, about. */
  partEvents?: number
  /** Components with more events are processed by micro-batches. */
  componentEvents?: number
}

/** Position of a build. */
export type Progress = {
  /** Identifies the build, so that only the same one resumes it. */
  label: string
  /** Last profile or partition; null before the first. */
  upTo: string | null
  isDone: boolean
  /** Last batch of the source and number of its events; absent for a fold over profiles. */
  source?: { batch: number; events: number }
}

/** Returns the position recorded by the last commit of a build, or null before the first. */
export async function progressOf(target: Warehouse): Promise<Progress | null> {
  const [last] = await target.query(
    "select origin from batches where origin like '{%' order by batch desc limit 1",
  )
  return last === undefined ? null : (JSON.parse(last['origin'] as string) as Progress)
}

export const NOTHING_READ = { read: 0, duplicates: 0, rejected: 0 }

export function originOf(progress: Progress): string {
  return JSON.stringify(progress)
}

/** Numbers the commits ahead. A part gets its number when it is cut. */
export class Heads {
  #last: Head

  constructor(last: Head, watermark: number | null) {
    this.#last = { ...last, watermark }
  }

  next(): Head {
    const { batch, recordedAt, watermark } = this.#last
    this.#last = {
      batch: batch + 1,
      recordedAt: Math.max(now(), recordedAt + 1),
      watermark,
    }
    return this.#last
  }
}

/** Origin and number of events of a part. */
export type PartLabel = { origin: string; events: number }

/** Derives the parts and commits them to `target`. `onCommit` gets
 * the number of events of a part. */
export async function commitParts(
  parts: AsyncIterable<Cut<PartLabel>>,
  to: { target: Warehouse; heads: Heads; pool: PartPool },
  onCommit: (events: number) => void,
): Promise<void> {
  const { target, heads, pool } = to
  let committed = Promise.resolve()
  try {
    for await (const { label, built } of pool.derived(parts)) {
      const builder = new CommitBuilder()
      builder.taken(built.counts)
      const { origin, events } = label
      const note = { ...NOTHING_READ, origin, read: events }
      const { inserts, ...commit } = builder.build(heads.next(), note)
      const { counts: _counts, ...rows } = built
      await committed
      committed = target
        .commit({ ...commit, ...rows, inserts: new Map([...rows.inserts, ...inserts]) })
        .then(() => onCommit(events))
      committed.catch(() => undefined)
    }
    await committed
  } finally {
    await committed.catch(() => undefined)
    await pool.close()
  }
}

/** Records that a build is done. */
export async function commitEnd(target: Warehouse, heads: Heads, end: Progress): Promise<void> {
  const builder = new CommitBuilder()
  await target.commit(builder.build(heads.next(), { origin: originOf(end), ...NOTHING_READ }))
}
