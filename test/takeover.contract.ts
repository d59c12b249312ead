/** What every warehouse must do when it takes a version over: one suite, run on each. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { arrowTable } from '../pipeline/arrow.ts'
import { duckdbWarehouse } from '../pipeline/duckdb.ts'
import { hashes64 } from '../pipeline/ids.ts'
import type { Commit, Warehouse } from '../pipeline/warehouse.ts'
import { BATCH_AT as T0, uuids } from './batches.ts'
import { commitOf, imagesOf, type Made } from './warehouse.contract.ts'

/** What was refused under versions of journey `j`. */
function refusals(rows: { event: string; version: number; reason: string }[]) {
  const all = (value: string | number) => rows.map(() => value)
  const columns = {
    row_key: uuids(rows.map(({ event, version }) => `${event} ${version}`)),
    event_id: rows.map(({ event }) => event),
    event_name: all('A'),
    journey: all('j'),
    version: rows.map(({ version }) => version),
    instance_id: all('i'),
    profile_id: all('p'),
    state: all('s'),
    reason: rows.map(({ reason }) => reason),
    occurred_at: all(T0),
    session_id: all('s'),
  }
  return arrowTable('rejection', columns, rows.length)
}

/** Memory of one stream and one profile. */
function memoryOf(mark: string, key: string): Pick<Commit, 'inserts' | 'images'> {
  const history = { k: hashes64([key]), stream: [key], segment: [mark] }
  const timer = { due_at: [T0], profile_id: [mark] }
  return {
    inserts: new Map([
      ['history', arrowTable('history', history, 1)],
      ['timer', arrowTable('timer', timer, 1)],
    ]),
    images: imagesOf('profile', [[key, mark]]),
  }
}

export function takeoverContract(name: string, make: () => Promise<Made>): void {
  describe(`${name} keeps the takeover contract`, () => {
    let made: Made
    let warehouse: Warehouse

    beforeEach(async () => {
      made = await make()
      warehouse = made.warehouse
    })
    afterEach(() => warehouse.close())

    test('a takeover moves a version, and memory if it has it, when it is allowed', async () => {
      const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
      const other = duckdbWarehouse(join(dir, 'other.duckdb'))
      await other.open()
      const theirs = memoryOf('theirs', 'a')
      theirs.inserts.set(
        'rejection',
        refusals([
          { event: 'same', version: 1, reason: 'x' },
          { event: 'other', version: 1, reason: 'theirs' },
          { event: 'only theirs', version: 1, reason: 'x' },
          { event: 'same', version: 2, reason: 'theirs' },
        ]),
      )
      await other.commit(commitOf(1, memoryOf('older', 'a')))
      await other.commit(commitOf(2, theirs))
      await other.close()
      await warehouse.open()
      const ours = refusals([
        { event: 'same', version: 1, reason: 'x' },
        { event: 'other', version: 1, reason: 'ours' },
        { event: 'only ours', version: 1, reason: 'x' },
        { event: 'same', version: 2, reason: 'ours' },
      ])
      await warehouse.commit(commitOf(1, { inserts: new Map([['rejection', ours]]) }))
      await warehouse.commit(commitOf(2, memoryOf('ours', 'b')))
      const told: unknown[] = []
      const takeOver = (hasMemory: boolean, commit: Commit | null) =>
        warehouse.takeOver(
          {
            from: other.url,
            version: { kind: 'journey', id: 'j', version: 1 },
            within: null,
            hasMemory,
          },
          (counts) => {
            told.push(counts)
            return commit
          },
        )
      const versions = async () => {
        const rows = await warehouse.query(
          `select event_id, version, reason, recorded_by, superseded_by, superseded_because
           from rejection_facts order by event_id, version, recorded_by`,
        )
        return rows.map((row) => Object.values(row).join(' ').trim())
      }
      const memory = async () => [
        Object.fromEntries(await warehouse.images('profile', ['a', 'b'])),
        [...(await warehouse.segments(['a', 'b']))].map(([key, all]) => [key, ...all.toSorted()]),
        (await warehouse.due(null, T0)).toSorted(),
      ]
      const before = [await versions(), await memory()]
      await takeOver(true, null)
      expect([await versions(), await memory()]).toEqual(before)
      await takeOver(false, commitOf(3))
      const taken = [
        'only ours 1 x 1 3 rebuilt',
        'only theirs 1 x 3',
        'other 1 ours 1 3 rebuilt',
        'other 1 theirs 3',
        'same 1 x 1',
        'same 2 ours 1',
      ]
      expect([await versions(), await memory()]).toEqual([taken, before[1]])
      await takeOver(true, commitOf(4))
      expect(told).toEqual([
        { inserted: 2, superseded: 2 },
        { inserted: 2, superseded: 2 },
        { inserted: 0, superseded: 0 },
      ])
      warehouse = await made.reopen()
      expect(await warehouse.open()).toMatchObject({ batch: 4 })
      expect([await versions(), await memory()]).toEqual([
        taken,
        [{ a: 'theirs' }, [['a', 'older', 'theirs']], ['older', 'theirs']],
      ])
      await warehouse.commit(commitOf(5, memoryOf('later', 'a')))
      expect((await warehouse.images('profile', ['a'])).get('a')).toBe('later')
      rmSync(dir, { recursive: true })
    })
  })
}
