/**
 * Outbox: effects to publish and effects to retract.
 *
 * An effect is written when its transition is first committed. Its id is derived from the cause, so
 * deriving the transition again, or for another profile after a merge, writes nothing twice. An
 * effect without a current transition is retracted once and permanently. An expired effect was
 * never sent and needs no retraction.
 */

import type { DueEffect } from './rows/due-effects.ts'
import type { MicroBatch } from './micro-batch.ts'

/** Row of the outbox. */
export type OutboxRow = {
  effect: DueEffect
  kind: 'effect' | 'retraction'
  status: 'due' | 'expired'
}

/** Effects of profiles: the new ones of continued profiles; of refolded profiles, all before and
 * all after. */
export type CarriedEffects = { continued: DueEffect[]; was: DueEffect[]; is: DueEffect[] }

/** Returns rows for the outbox, in publishing order. */
export async function outboxRows(
  batch: MicroBatch,
  { continued, ...refolded }: CarriedEffects,
): Promise<OutboxRow[]> {
  const was = new Map(refolded.was.map((effect) => [effect.id, effect]))
  const is = new Set(refolded.is.map((effect) => effect.id))
  const come = refolded.is.filter((effect) => !was.has(effect.id))
  const gone = [...was.values()].filter((effect) => !is.has(effect.id))
  const asked = [...come, ...gone].map((effect) => effect.id)
  const fates = asked.length === 0 ? new Map() : await batch.warehouse.outbox(asked)
  const rows: OutboxRow[] = []
  for (const effect of gone) {
    if (fates.get(effect.id) === 'due') rows.push({ effect, kind: 'retraction', status: 'due' })
  }
  for (const effect of [...continued, ...come]) {
    if (fates.has(effect.id)) continue
    rows.push({ effect, kind: 'effect', status: isExpired(batch, effect) ? 'expired' : 'due' })
  }
  return rows
}

function isExpired(batch: MicroBatch, effect: DueEffect): boolean {
  if (effect.withinUs === null || batch.watermark === null) return false
  return batch.watermark - effect.occurredAt > effect.withinUs
}
