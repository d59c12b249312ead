/** Result of a batch that landed: its corrections of identity and its counts. */

import type { EventBatch } from '../decode/event-batch.ts'
import type { Landing } from './deduplicate.ts'
import type { PlacedCorrection } from './identity-pairs.ts'
import type { MicroBatch } from './micro-batch.ts'

/** Result of a micro-batch. */
export type Outcome = {
  read: number
  landed: number
  duplicates: number
  /** Number of events of erased persons that were dropped. */
  erased: number
  /** By reason. */
  refused: Map<string, number>
  /** Number of outbox rows. */
  effects: number
}

/** Returns the aliases and unlinks of the events that landed. */
export function landedCorrections(
  { events }: MicroBatch,
  batch: EventBatch,
  { landedRow }: Landing,
): PlacedCorrection[] {
  return batch.corrections.flatMap(({ row, kind, a, b }) => {
    const landed = landedRow[row] as number
    return landed < 0 ? [] : [{ place: events.place(landed), kind, a, b }]
  })
}

export function outcomeOf(batch: EventBatch, landing: Landing, effects: number): Outcome {
  const refused = new Map<string, number>()
  for (const { reason } of landing.refusals) refused.set(reason, (refused.get(reason) ?? 0) + 1)
  return {
    read: batch.read,
    landed: landing.rows.length,
    duplicates: landing.duplicates,
    erased: landing.erased,
    refused,
    effects,
  }
}
