/** Compares the outbox with the effects that the slow reference finds in current transitions. */

import { expect } from 'vitest'
import { uuidOf } from '../../pipeline/base/hash.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import type { Row } from '../reference/reference.ts'
import { sorted } from './dump.ts'

/**
 * Checks the outbox for any batches: every current effect was written once; every sent effect that
 * is no longer current was retracted once, after it was sent; and only effects that were not
 * current for a while were retracted.
 */
export async function expectOutbox(warehouse: Warehouse, believed: Row[]): Promise<void> {
  const log = await warehouse.query('select * from effects_log order by recorded_by, effect_no')
  const idsOf = (kind: string, status?: string) =>
    log
      .filter((row) => row['kind'] === kind && (status ?? row['status']) === row['status'])
      .map((row) => row['effect_id'] as string)
  const ids = new Set(believed.map((row) => uuidOf(row['effect_id'] as string)))
  const written = idsOf('effect')
  const retracted = idsOf('retraction')
  const gone = idsOf('effect', 'due').filter((id) => !ids.has(id))
  const wrong = {
    unwritten: [...ids].filter((id) => !written.includes(id)),
    writtenTwice: written.filter((id, i) => written.indexOf(id) !== i),
    notTakenBack: gone.filter((id) => !retracted.includes(id)),
    takenBackTwice: retracted.filter((id, i) => retracted.indexOf(id) !== i),
    takenBackUnsent: log
      .filter(({ kind }) => kind === 'retraction')
      .filter(
        (row) =>
          !log
            .slice(0, log.indexOf(row))
            .some(
              ({ kind, status, effect_id }) =>
                kind === 'effect' && status === 'due' && effect_id === row['effect_id'],
            ),
      ),
  }
  expect(wrong).toEqual({
    unwritten: [],
    writtenTwice: [],
    notTakenBack: [],
    takenBackTwice: [],
    takenBackUnsent: [],
  })
}

/** Checks the outbox after one batch: it has exactly the current effects, and those that are
 * further behind the watermark than their `within` are not sent. */
export async function expectOutboxOfOneBatch(
  warehouse: Warehouse,
  believed: Row[],
  watermark: number,
): Promise<void> {
  const written = (await warehouse.query(
    `select effect_id, kind, status, type, payload, journey, version, instance_id, profile_id,
       occurred_at from effects`,
  )) as Row[]
  const expected = believed.map(({ within_us, ...effect }): Row => {
    const behind = watermark - (effect['occurred_at'] as number)
    return {
      ...effect,
      effect_id: uuidOf(effect['effect_id'] as string),
      kind: 'effect',
      status: within_us !== null && behind > (within_us as number) ? 'expired' : 'due',
    }
  })
  expect(sorted(written)).toEqual(sorted(expected))
}
