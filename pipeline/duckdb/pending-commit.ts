/**
 * Commit in flight: its content, for lookups before it is visible.
 */

import type { Table } from 'apache-arrow'
import { EventIndex } from '../base/event-index.ts'
import { CommitSegments } from '../warehouse/commit-segments.ts'
import type { Commit } from '../warehouse/warehouse.ts'

export class UnderWay {
  readonly batch: number
  /** Settles with the commit. */
  readonly done: Promise<void>
  readonly #events: Table | undefined
  readonly #segments: CommitSegments
  readonly #timers: Table | undefined
  #landed: EventIndex | null = null

  constructor(commit: Commit, done: Promise<void>) {
    const { batch, inserts } = commit
    this.batch = batch
    this.done = done
    this.#events = inserts.get('events')
    this.#segments = new CommitSegments(commit)
    this.#timers = inserts.get('timer')
  }

  /** Fingerprints of its events by the hashes of their ids. */
  get landed(): EventIndex {
    const column = (name: string) => words(this.#events, name) as BigUint64Array
    return (this.#landed ??= EventIndex.of(column('event_hash'), column('fingerprint')))
  }

  /** Returns the history segment that it adds to a stream, or undefined. */
  segmentOf(stream: string): string | undefined {
    return this.#segments.of(stream)
  }

  /** Returns the profiles with one of its timers after one instant and up to another. */
  due(after: number, upTo: number): string[] {
    const profiles = this.#timers?.getChild('profile_id')
    const found: string[] = []
    const dues = words(this.#timers, 'due_at')
    for (let row = 0; row < dues.length; row++) {
      const dueAt = Number(dues[row])
      if (dueAt > after && dueAt <= upTo) found.push(profiles?.get(row) as string)
    }
    return found
  }
}

/** Returns a column of 64-bit values without copying. */
function words(table: Table | undefined, column: string): BigUint64Array | BigInt64Array {
  return (table?.getChild(column)?.toArray() ?? new BigInt64Array()) as BigInt64Array
}
