/** Contract of taking over a version, run on each warehouse. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { arrowTable, supersedeTable } from '../../pipeline/warehouse/arrow/arrow.ts'
import { openRemoteDifference as openDifference } from '../../pipeline/duckdb/remote-difference.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { hashes64 } from '../../pipeline/base/hash.ts'
import { STATE_TABLES } from '../../pipeline/warehouse/image-tables.ts'
import type {
  Commit,
  RowCounts,
  StateTable,
  Takeover,
  Warehouse,
} from '../../pipeline/warehouse/warehouse.ts'
import type { VersionName } from '../../pipeline/definition/load.ts'
import { BATCH_AT as T0, uuids } from '../support/batches.ts'
import { emptyFile } from '../support/empty-file.ts'
import { commitOf, imagesOf, profiles, type Made } from './warehouse.contract.ts'

type Refused = { event: string; version: number; reason: string; profile?: string }

/** Returns rejections under versions of journey `j`. */
function refusals(rows: Refused[]) {
  const all = (value: string | number) => rows.map(() => value)
  const columns = {
    row_key: uuids(rows.map(({ event, version }) => `${event} ${version}`)),
    event_id: rows.map(({ event }) => event),
    event_name: all('A'),
    journey: all('j'),
    version: rows.map(({ version }) => version),
    instance_id: all('i'),
    profile_id: rows.map(({ profile = 'p' }) => profile),
    state: all('s'),
    reason: rows.map(({ reason }) => reason),
    occurred_at: all(T0),
    session_id: all('s'),
  }
  return arrowTable('rejection', columns, rows.length)
}

/** Returns events at times after `T0`, with their profiles. */
function eventsOf(rows: { event: string; profile: string; at: number }[]): Commit['inserts'] {
  const all = (value: string | number | null) => rows.map(() => value)
  const ids = rows.map(({ event }) => event)
  const events = {
    event_id: ids,
    name: all('A'),
    occurred_at: rows.map(({ at }) => T0 + at),
    ordinal: all(0),
    received_at: all(T0),
    source: all('web'),
    identifiers: all('{}'),
    properties: all('{}'),
    context: all('{}'),
    alias: all(null),
    unlink: all(null),
    event_hash: hashes64(ids),
    fingerprint: hashes64(ids),
  }
  return new Map([
    ['events', arrowTable('events', events, rows.length)],
    ['event_profile', profiles(rows)],
  ])
}

/** Returns attempts at a step of an event funnel or of a funnel of journey `j`. */
function steps(rows: { attempt: string; version: number; isOwn: boolean }[]) {
  const all = (value: string | number) => rows.map(() => value)
  const columns = {
    row_key: uuids(rows.map(({ attempt }) => attempt)),
    attempt_id: uuids(rows.map(({ attempt }) => attempt)),
    funnel: all('f'),
    journey: rows.map(({ isOwn }) => (isOwn ? null : 'j')),
    version: rows.map(({ version }) => version),
    profile_id: all('p'),
    step_no: all(1),
    step: all('s'),
    reached_at: all(T0),
    event_id: all('e'),
  }
  return arrowTable('funnel_attempt_step', columns, rows.length)
}

function released(names: VersionName[]) {
  const all = (value: string) => names.map(() => value)
  const columns = {
    kind: names.map(({ kind }) => kind),
    id: names.map(({ id }) => id),
    version: names.map(({ version }) => version),
    action: all('registered'),
    hash: all('h'),
    content: all('{}'),
    reason: all(''),
    released_by: all('test'),
  }
  return arrowTable('releases', columns, names.length)
}

/** Returns the state of one stream and one profile. */
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
    let dir: string

    beforeEach(async () => {
      dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
      made = await make()
      warehouse = made.warehouse
    })
    afterEach(async () => {
      await warehouse.close()
      rmSync(dir, { recursive: true })
    })

    /** Returns the URL of another warehouse with these commits. */
    const otherOf = async (...commits: Partial<Commit>[]) => {
      const other = duckdbWarehouse(emptyFile(join(dir, 'other.duckdb')))
      await other.open()
      for (const [i, parts] of commits.entries()) await other.commit(commitOf(i + 1, parts))
      await other.close()
      return other.url
    }
    /** Runs the takeover. Returns the counts it was passed. */
    const taken = async (takeover: Takeover, commit: Commit | null) => {
      const told: RowCounts[] = []
      await warehouse.takeOver(takeover, (counts) => {
        told.push(counts)
        return commit
      })
      return told
    }
    const version: VersionName = { kind: 'journey', id: 'j', version: 1 }
    /** Returns every version of a view's rows: these columns and why it ended. */
    const versions = async (view: string, ...columns: string[]) => {
      const shown = [...columns, 'recorded_by', 'superseded_by', 'superseded_because'].join(', ')
      const rows = await warehouse.query(`select ${shown} from ${view}`)
      return rows.map((row) => Object.values(row).join(' ').trim()).toSorted()
    }

    test('a takeover moves a version, and its state if it has any, when allowed', async () => {
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
      const from = await otherOf(memoryOf('older', 'a'), theirs)
      await warehouse.open()
      const ours = refusals([
        { event: 'same', version: 1, reason: 'x' },
        { event: 'other', version: 1, reason: 'ours' },
        { event: 'only ours', version: 1, reason: 'x' },
        { event: 'same', version: 2, reason: 'ours' },
      ])
      await warehouse.commit(commitOf(1, { inserts: new Map([['rejection', ours]]) }))
      await warehouse.commit(commitOf(2, memoryOf('ours', 'b')))
      const takeOver = (state: readonly StateTable[], commit: Commit | null) =>
        taken({ from, version, within: null, state, openDifference }, commit)
      const refused = () => versions('rejection_facts', 'event_id', 'version', 'reason')
      const memory = async () => [
        Object.fromEntries(await warehouse.images('profile', ['a', 'b'])),
        [...(await warehouse.segments(['a', 'b']))].map(([key, all]) => [key, ...all.toSorted()]),
        (await warehouse.due(null, T0)).toSorted(),
      ]
      const before = [await refused(), await memory()]
      const plan = [{ inserted: 2, superseded: 2 }]
      expect(await takeOver(STATE_TABLES, null)).toEqual(plan)
      expect([await refused(), await memory()]).toEqual(before)
      expect(await takeOver([], commitOf(3))).toEqual(plan)
      const after = [
        'only ours 1 x 1 3 rebuilt',
        'only theirs 1 x 3',
        'other 1 ours 1 3 rebuilt',
        'other 1 theirs 3',
        'same 1 x 1',
        'same 2 ours 1',
      ]
      expect([await refused(), await memory()]).toEqual([after, before[1]])
      expect(await takeOver(STATE_TABLES, commitOf(4))).toEqual([{ inserted: 0, superseded: 0 }])
      warehouse = await made.reopen()
      expect(await warehouse.open()).toMatchObject({ batch: 4 })
      expect([await refused(), await memory()]).toEqual([
        after,
        [{ a: 'theirs' }, [['a', 'older', 'theirs']], ['older', 'theirs']],
      ])
      await warehouse.commit(commitOf(5, memoryOf('later', 'a')))
      expect((await warehouse.images('profile', ['a'])).get('a')).toBe('later')
    })

    test('a takeover takes no superseded row that the other file has not folded', async () => {
      const events = Array.from({ length: 99 }, (_, i) => `e${i}`)
      const all = events.map((event) => ({ event, version: 1, reason: 'x' }))
      const again = refusals([{ event: 'e0', version: 1, reason: 'y' }])
      const ended = supersedeTable(uuids(['e0 1']), {
        values: ['late_event'],
        codes: new Int32Array(1),
      })
      const from = await otherOf(
        { inserts: new Map([['rejection', refusals(all)]]) },
        { inserts: new Map([['rejection', again]]), supersedes: new Map([['rejection', ended]]) },
      )
      await warehouse.open()
      await taken({ from, version, within: null, state: [], openDifference }, commitOf(1))
      const [first, second] = await versions('rejection_facts', 'event_id', 'reason')
      expect([first, second]).toEqual(['e0 y 1', 'e1 x 1'])
    })

    test('a takeover of a window leaves profiles without an event in it unchanged', async () => {
      const rows = (reason: string, profiles: string[]) =>
        new Map([
          [
            'rejection' as const,
            refusals(profiles.map((profile) => ({ event: profile, version: 1, reason, profile }))),
          ],
        ])
      const from = await otherOf({ inserts: rows('theirs', ['inside']) })
      await warehouse.open()
      const inserts = eventsOf([
        { event: 'e1', profile: 'inside', at: 0 },
        { event: 'e2', profile: 'around', at: -1 },
        { event: 'e3', profile: 'around', at: 9 },
        { event: 'e4', profile: 'inside', at: 10 },
      ])
      // One profile was merged meanwhile and has no events any more.
      const ours = rows('ours', ['inside', 'around', 'nobody'])
      await warehouse.commit(commitOf(1, { inserts: new Map([...inserts, ...ours]) }))
      const takeover = { from, version, state: [], openDifference }
      const bounds: [number | null, number | null, number][] = [
        [T0, T0 + 9, 2],
        [null, T0, 2],
        [T0 + 10, null, 2],
        [T0 - 1, T0 + 1, 3],
      ]
      for (const [start, end, superseded] of bounds) {
        expect(await taken({ ...takeover, within: { from: start, to: end } }, null)).toEqual([
          { inserted: 1, superseded },
        ])
      }
      const within = { from: T0, to: T0 + 9 }
      await taken({ ...takeover, within }, commitOf(2))
      expect(await versions('rejection_facts', 'profile_id', 'reason')).toEqual([
        'around ours 1',
        'inside ours 1 2 rebuilt',
        'inside theirs 2',
        'nobody ours 1 2 rebuilt',
      ])
      expect(await taken({ ...takeover, within }, null)).toEqual([{ inserted: 0, superseded: 0 }])
    })

    test('a takeover of everything takes all that is recorded there', async () => {
      const people = (profile: string): Commit['inserts'] =>
        new Map([['event_profile', profiles([{ event: 'e1', profile }])]])
      const theirs = memoryOf('theirs', 'a')
      const onRecord = [
        { kind: 'sessions', id: 'sessions', version: 1 },
        version,
        { kind: 'funnel', id: 'f', version: 1 },
      ]
      const from = await otherOf({
        ...theirs,
        inserts: new Map([
          ...theirs.inserts,
          ...people('theirs'),
          ['releases', released(onRecord)],
          ['rejection', refusals([{ event: 'e1', version: 1, reason: 'theirs' }])],
          ['funnel_attempt_step', steps([{ attempt: 'a', version: 1, isOwn: true }])],
        ]),
      })
      await warehouse.open()
      const member = { row_key: uuids(['m']), cohort: ['c'], profile_id: ['p'], entered_at: [T0] }
      const ours = memoryOf('ours', 'b')
      await warehouse.commit(
        commitOf(1, {
          ...ours,
          inserts: new Map([
            ...ours.inserts,
            ...people('ours'),
            ['cohort_member', arrowTable('cohort_member', member, 1)],
            [
              'rejection',
              refusals([
                { event: 'e1', version: 1, reason: 'ours' },
                { event: 'e1', version: 2, reason: 'ours' },
              ]),
            ],
            [
              'funnel_attempt_step',
              steps([
                { attempt: 'a', version: 1, isOwn: true },
                { attempt: 'b', version: 1, isOwn: true },
                { attempt: 'c', version: 2, isOwn: true },
                { attempt: 'd', version: 1, isOwn: false },
                { attempt: 'e', version: 2, isOwn: false },
              ]),
            ],
          ]),
        }),
      )
      const everything = { from, version: null, within: null, state: STATE_TABLES, openDifference }
      expect(await taken(everything, commitOf(2))).toEqual([{ inserted: 2, superseded: 4 }])
      expect(await versions('event_profile_versions', 'profile_id')).toEqual([
        'ours 1 2 rebuilt',
        'theirs 2',
      ])
      expect(await versions('rejection_facts', 'version', 'reason')).toEqual([
        '1 ours 1 2 rebuilt',
        '1 theirs 2',
        '2 ours 1',
      ])
      expect(await versions('funnel_attempt_step_versions', 'journey', 'version')).toEqual([
        '1 1',
        '1 1 2 rebuilt',
        '2 1',
        'j 1 1 2 rebuilt',
        'j 2 1',
      ])
      expect(await versions('cohort_member_versions', 'cohort')).toEqual(['c 1'])
      expect(Object.fromEntries(await warehouse.images('profile', ['a', 'b']))).toEqual({
        a: 'theirs',
      })
      expect(await warehouse.due(null, T0)).toEqual(['theirs'])
      expect(await taken(everything, null)).toEqual([{ inserted: 0, superseded: 0 }])
    })
  })
}
