/** Small commits for the tests of a warehouse. */

import { arrowTable } from '../pipeline/arrow.ts'
import { uuidInto } from '../pipeline/ids.ts'
import type { Commit } from '../pipeline/warehouse.ts'

export const BATCH_AT = 1_800_000_000_000_000

/** A batch that says whose some events are, recorded `batch` microseconds after `BATCH_AT`. */
export function batchOf(batch: number, events: string[]): Commit {
  const bytes = new Uint8Array(events.length * 16)
  events.forEach((event, row) => uuidInto(event, bytes, row))
  const profiles = {
    row_key: { bytes },
    event_id: events,
    profile_id: events.map(() => 'p'),
    session_id: events.map(() => 's'),
  }
  const counts = ['read', 'landed', 'duplicate', 'rejected', 'inserted', 'superseded', 'effect']
  const row = {
    batch: [batch],
    watermark: [null],
    origin: ['test'],
    ...Object.fromEntries(counts.map((name) => [`${name}_count`, [0]])),
  }
  return {
    batch,
    recordedAt: BATCH_AT + batch,
    inserts: new Map([
      ['event_profile', arrowTable('event_profile', profiles, events.length)],
      ['batches', arrowTable('batches', row, 1)],
    ]),
    supersedes: new Map(),
    images: new Map(),
  }
}
