/** Result of a batch that landed: its rows, its corrections of identity and its counts. */

import type { EventBatch } from '../decode/event-batch.ts'
import type { CommitBuilder } from './commit-builder.ts'
import { deadLetterIdOf, type Landing } from './deduplicate.ts'
import type { PlacedCorrection } from './identity-pairs.ts'
import type { MicroBatch } from './micro-batch.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'

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

/** Adds the events that landed, and the dead letters that are not on record yet. Returns the ids of
 * all refused lines. */
export async function addLanded(
  builder: CommitBuilder,
  batch: EventBatch,
  landing: Landing,
  { origin, receivedAt }: { origin: string; receivedAt: number },
  stored: Pick<Warehouse, 'deadLetters'>,
): Promise<string[]> {
  builder.events(batch, landing)
  const refused = landing.refusals.map((refusal) => deadLetterIdOf(batch, refusal))
  const onRecord = refused.length === 0 ? [] : await stored.deadLetters(refused)
  builder.deadLetters(batch, landing, new Set(onRecord), origin, receivedAt)
  return refused
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
  countRefusals(refused, landing)
  return {
    read: batch.read,
    landed: landing.rows.length,
    duplicates: landing.duplicates,
    erased: landing.erased,
    refused,
    effects,
  }
}

/** Adds the refusals to the counts by reason. */
export function countRefusals(counts: Map<string, number>, { refusals }: Landing): void {
  for (const { reason } of refusals) counts.set(reason, (counts.get(reason) ?? 0) + 1)
}
