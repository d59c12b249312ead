/**
 * The outbox. An effect is written when its transition is first committed, under an id that
 * follows from the cause, so that deriving the transition again, or for another profile after a
 * merge of people, writes nothing twice. When no believed transition has it any more it is
 * retracted, once, and stays so. An effect that expired was never sent and needs no retraction.
 */

import { uuidOf } from '../base/hash.ts'
import type { DueEffect, Tabulated } from './journey-rows.ts'
import type { Turn } from './micro-batch.ts'

/** Rows for the outbox, in the order to be published. */
export type OutboxRow = DueEffect & {
  kind: 'effect' | 'retraction'
  status: 'due' | 'expired'
}

/** Compares what profiles carried with what they carry; `continued` is all new. */
export async function outboxRows(
  turn: Turn,
  continued: Tabulated,
  refolded: { was: Tabulated; is: Tabulated },
): Promise<OutboxRow[]> {
  const was = new Map(refolded.was.effects.map((effect) => [effect.key, effect]))
  const is = new Set(refolded.is.effects.map((effect) => effect.key))
  const come = refolded.is.effects.filter((effect) => !was.has(effect.key))
  const gone = [...was.values()].filter((effect) => !is.has(effect.key))
  const asked = [...come, ...gone].map((effect) => uuidOf(effect.key))
  const fates = asked.length === 0 ? new Map() : await turn.warehouse.outbox(asked)
  const rows: OutboxRow[] = []
  for (const effect of gone) {
    if (fates.get(uuidOf(effect.key)) === 'due') {
      rows.push({ ...effect, kind: 'retraction', status: 'due' })
    }
  }
  for (const effect of [...continued.effects, ...come]) {
    if (fates.has(uuidOf(effect.key))) continue
    rows.push({ ...effect, kind: 'effect', status: isExpired(turn, effect) ? 'expired' : 'due' })
  }
  return rows
}

function isExpired(turn: Turn, effect: DueEffect): boolean {
  if (effect.withinUs === null || turn.watermark === null) return false
  return turn.watermark - effect.occurredAt > effect.withinUs
}
