/**
 * Replays dead letters: processes unresolved rejected lines again after a fix. A letter counts as
 * resolved if its line lands, or if it is rejected again for another reason.
 */

import { now } from '../base/clock.ts'
import type { Pipeline } from '../microbatch/pipeline.ts'
import type { Decode } from '../decode/decoder-thread.ts'
import type { Row, Warehouse } from '../warehouse/warehouse.ts'

/** Letters per batch. */
const LETTERS_MAX = 10_000

export type RefeedReport = { fed: number; landed: number; duplicates: number; refused: number }

/** Processes every unresolved dead letter once, by ascending id, one batch at a time. */
export async function refeed(
  warehouse: Warehouse,
  pipeline: Pipeline,
  decode: Decode,
): Promise<RefeedReport> {
  const report: RefeedReport = { fed: 0, landed: 0, duplicates: 0, refused: 0 }
  let after = '00000000-0000-0000-0000-000000000000'
  for (;;) {
    const letters = await warehouse.query(
      `select dead_letter_id, raw from dead_letters
       where resolved_at is null and cast(dead_letter_id as string) > ?
       order by cast(dead_letter_id as string) limit ${LETTERS_MAX}`,
      [after],
    )
    const ids = letters.map((letter) => letter['dead_letter_id'] as string)
    const last = ids.at(-1)
    if (last === undefined) return report
    after = last
    const receivedAt = now()
    const batch = await decode(linesOf(letters), receivedAt)
    const delivery = { origin: 'dead letters', receivedAt, resolving: ids }
    const outcome = await pipeline.advance(batch, delivery)
    report.fed += letters.length
    report.landed += outcome.landed
    report.duplicates += outcome.duplicates
    for (const count of outcome.refused.values()) report.refused += count
  }
}

function linesOf(letters: Row[]): Uint8Array {
  const raws = letters.map((letter) => letter['raw'] as Uint8Array)
  const bytes = new Uint8Array(raws.reduce((size, raw) => size + raw.length + 1, 0))
  let at = 0
  for (const raw of raws) {
    bytes.set(raw, at)
    at += raw.length
    bytes[at] = 0x0a
    at += 1
  }
  return bytes
}
