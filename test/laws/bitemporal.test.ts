/** Views as of an instant return what the views returned at that instant. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { funnelled } from '../support/arbitraries-funnel.ts'
import { arrivals, eventStream, identity } from '../support/arbitraries.ts'
import { Harness, lineOf, sorted } from '../support/dump.ts'
import { VIEWS, type Row } from '../reference/reference.ts'
import { runsOf } from '../support/long.ts'

const RUNS = runsOf('LAW_RUNS', 5, 80)

const scene = fc
  .record({ events: eventStream, identity, ...funnelled })
  .chain((parts) => fc.record({ parts: fc.constant(parts), batches: arrivals(parts.events) }))

async function rows(harness: Harness, relation: string): Promise<Row[]> {
  return sorted((await harness.warehouse.query(`select * from ${relation}`)) as Row[])
}

test('the views as of every batch equal the views recorded after it', async () => {
  await fc.assert(
    fc.asyncProperty(scene, async ({ parts, batches }) => {
      const harness = new Harness(makeDefinitions({ ...parts, journeys: [parts.journey] }))
      const seen: { at: number; view: string; rows: Row[] }[] = []
      for (const batch of batches) {
        await harness.feed(batch.map(lineOf))
        const at = (await harness.pipeline()).head.recordedAt
        for (const view of VIEWS) seen.push({ at, view, rows: await rows(harness, view) })
      }
      for (const { at, view, rows: then } of seen) {
        const now = await rows(harness, `${view}_as_of(make_timestamptz(${at}))`)
        expect({ view, at, rows: now }).toEqual({ view, at, rows: then })
      }
      await harness.warehouse.close()
    }),
    { numRuns: RUNS },
  )
})

test('a version is superseded once, after it was recorded, and with a reason', async () => {
  await fc.assert(
    fc.asyncProperty(scene, async ({ parts, batches }) => {
      const harness = new Harness(makeDefinitions({ ...parts, journeys: [parts.journey] }))
      for (const batch of batches) await harness.feed(batch.map(lineOf))
      for (const versions of ['state_versions', 'transition_facts', 'session_versions']) {
        const unsound = await harness.warehouse.query(
          `select * from ${versions} where superseded_at <= recorded_at
             or superseded_by <= recorded_by
             or (superseded_at is null) <> (superseded_because is null)
             or superseded_because not in ('progress', 'late_event', 'identity')`,
        )
        expect(unsound).toEqual([])
      }
      await harness.warehouse.close()
    }),
    { numRuns: RUNS },
  )
})

test('a stay that ends is progress, and rows that a batch does not change stay untouched', async () => {
  const harness = new Harness(
    makeDefinitions({
      journeys: [
        {
          id: 'j',
          version: 1,
          initial: 'a',
          states: {
            a: { on: { Go: 'b' } },
            b: { on: { Back: 'a', Done: 'c' } },
            c: { type: 'final' },
          },
        },
      ],
    }),
  )
  const event = (id: string, minute: number, name: string, user: string) =>
    JSON.stringify({
      event_id: id,
      name,
      occurred_at: `2026-03-01T10:${String(minute).padStart(2, '0')}:00Z`,
      identifiers: { user_id: user },
    })
  await harness.feed([event('e1', 1, 'Go', 'u1'), event('f1', 1, 'Go', 'u2')])
  await harness.feed([event('e3', 5, 'Back', 'u1')])
  await harness.feed([event('e2', 3, 'Done', 'u1')])
  const versions = await harness.warehouse.query(
    `select profile_id, state, superseded_by, superseded_because from state_versions
     order by profile_id, recorded_by, entered_at, state`,
  )
  expect(versions.map((row) => Object.values(row).join(' '))).toEqual([
    'user_id:u1 a  ',
    'user_id:u1 b 2 progress',
    'user_id:u1 b 3 late_event',
    'user_id:u1 a 3 late_event',
    'user_id:u1 b  ',
    'user_id:u1 c  ',
    'user_id:u2 a  ',
    'user_id:u2 b  ',
  ])
  await harness.warehouse.close()
})
