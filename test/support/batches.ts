/** Small commits for tests of warehouses. */

import { arrowTable } from '../../pipeline/warehouse/arrow/arrow.ts'
import { Hashes } from '../../pipeline/base/hashes.ts'
import type { Commit } from '../../pipeline/warehouse/warehouse.ts'

export const BATCH_AT = 1_800_000_000_000_000

export function uuids(keys: string[]) {
  const hashes = new Hashes()
  for (const key of keys) hashes.push(key)
  return { bytes: hashes.bytes() }
}

/** Returns the `batches` row of an empty batch. */
export function batchRow(batch: number, watermark: number | null) {
  const columns = ['read', 'landed', 'duplicate', 'rejected', 'inserted', 'superseded', 'effect']
  return arrowTable(
    'batches',
    {
      batch: [batch],
      watermark: [watermark],
      origin: ['test'],
      ...Object.fromEntries(columns.map((name) => [`${name}_count`, [0]])),
    },
    1,
  )
}

/** Returns a batch that assigns profiles to events, recorded `batch` microseconds after `BATCH_AT`. */
export function batchOf(batch: number, events: string[]): Commit {
  const profiles = {
    row_key: uuids(events),
    event_id: events,
    profile_id: events.map(() => 'p'),
    session_id: events.map(() => 's'),
  }
  return {
    batch,
    recordedAt: BATCH_AT + batch,
    inserts: new Map([
      ['event_profile', arrowTable('event_profile', profiles, events.length)],
      ['batches', batchRow(batch, null)],
    ]),
    supersedes: new Map(),
    images: new Map(),
  }
}
