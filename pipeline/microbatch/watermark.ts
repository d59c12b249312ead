/**
 * Watermark: the event time up to which timeouts and funnel windows are decided. It is the latest
 * time of any landed event, or a later time that was requested, and never decreases.
 */

import type { EventBatch } from '../decode/event-batch.ts'

/** Returns the watermark after the landed `rows` of a batch, microseconds; null before any event. */
export function watermarkAfter(
  before: number | null,
  { occurredAt }: EventBatch,
  rows: readonly number[],
  requested: number | null,
): number | null {
  let latest = Math.max(before ?? -Infinity, requested ?? -Infinity)
  for (const row of rows) latest = Math.max(latest, occurredAt[row] ?? 0)
  return latest === -Infinity ? null : latest
}
