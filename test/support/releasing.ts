/** Random people and journeys for tests of replay and release, and helpers that move versions. */

import fc from 'fast-check'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { makeDefinitions, type Definitions, type Release } from '../../pipeline/definition/load.ts'
import { openRemoteDifference } from '../../pipeline/duckdb/remote-difference.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { releaseVersion, type ReleaseRequest } from '../../pipeline/operations/release-version.ts'
import type { Scratch } from '../../pipeline/warehouse/scratch.ts'
import { ReleaseLog, runningOf } from '../../pipeline/warehouse/release-log.ts'
import { funnelled } from './arbitraries-funnel.ts'
import { arrivals, eventStream, identity, sessions } from './arbitraries.ts'
import { dump, Harness, lineOf, sorted } from './dump.ts'
import { emptyFile } from './empty-file.ts'
import {
  VIEWS,
  type AcceptedEvent,
  type ReferenceTables,
  type Row,
} from '../reference/reference.ts'

const RUNS = Number(process.env['REBUILD_RUNS'] ?? 1)
export const LATER = 3_600_000_000

export function scratch(): Scratch {
  const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
  const path = join(dir, 'scratch.duckdb')
  return {
    warehouse: () => {
      mkdirSync(dir, { recursive: true })
      return duckdbWarehouse(existsSync(path) ? path : emptyFile(path))
    },
    openDifference: openRemoteDifference,
    discard: () => Promise.resolve(rmSync(dir, { recursive: true, force: true })),
  }
}

export const scene = fc
  .record({
    events: eventStream,
    identity,
    sessions,
    old: funnelled.journey,
    young: funnelled.journey.map((one) => ({ ...one, version: 2 })),
    funnels: funnelled.funnels,
    watermark: fc.constantFrom(0, LATER),
  })
  .chain((parts) =>
    fc.record({
      parts: fc.constant(parts),
      batches: arrivals(parts.events),
      cut: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  )

export type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never

/** Returns the two sets of definitions of a scene, and the batches before and after the release. */
export function read({ parts, batches, cut }: Scene) {
  const at = 1 + Math.floor(cut * (batches.length - 1))
  return {
    old: makeDefinitions({ ...parts, journeys: [parts.old] }),
    young: makeDefinitions({ ...parts, journeys: [parts.young] }),
    before: batches.slice(0, at),
    after: batches.slice(at),
    watermark: Math.max(...parts.events.map((event) => event.occurred_at)) + parts.watermark,
  }
}

export async function feed(
  harness: Harness,
  batches: AcceptedEvent[][],
  watermark: number | null = null,
) {
  for (const batch of batches) await harness.feed(batch.map(lineOf))
  if (watermark !== null) await harness.feed([], watermark)
}

/** Small parts, so that every possible cut is tested. */
const SPREAD = { partEvents: 2, componentEvents: 4 }

/** Replays, promotes or rolls back to the journey of `to`. */
export function step(
  harness: Harness,
  to: Definitions,
  action: ReleaseRequest['action'],
  more: Partial<ReleaseRequest> = {},
) {
  return move(harness, to.releases.find(({ kind }) => kind === 'journey') as Release, action, more)
}

/** Moves a version, and checks that no effect is sent or retracted. */
export async function move(
  harness: Harness,
  release: Release | null,
  action: ReleaseRequest['action'],
  more: Partial<ReleaseRequest> = {},
) {
  const definitions = more.definitions ?? (await harness.pipeline()).definitions
  const rebuilt = await releaseVersion({
    warehouse: harness.warehouse,
    scratch: scratch(),
    definitions,
    release,
    action,
    by: 'test',
    reason: 'to see',
    mayChangeLive: true,
    spread: SPREAD,
    ...more,
  })
  harness.restart()
  const published = await harness.warehouse.query(
    `select effect_id from effects
     where recorded_by in (select batch from batches where origin != 'test')`,
  )
  expect(published).toEqual([])
  return rebuilt
}

/** Replays everything under the identity and sessions of other definitions. */
export async function replayAll(
  harness: Harness,
  next: Definitions,
  more: Partial<ReleaseRequest> = {},
) {
  const { definitions } = runningOf(next, await ReleaseLog.read(harness.warehouse), true)
  return move(harness, null, 'replayed', { definitions, ...more })
}

/** Returns the current rows of a version that is not live. */
export async function believed({ warehouse }: Harness): Promise<Row[]> {
  const rows = await warehouse.query(
    `select profile_id, cast(transition_id as string) as id, occurred_at from transition_facts
     where version = 2 and superseded_at is null`,
  )
  return sorted(rows as Row[])
}

/** Returns the rows of profiles with an event in a window. */
export async function believedWithin(
  harness: Harness,
  { from, to }: { from: number | null; to: number | null },
): Promise<Row[]> {
  const rows = await harness.warehouse.query(
    `select distinct profile_id from events inner join event_profiles using (event_id)
     where occurred_at >= timestamp_micros(?) and occurred_at < timestamp_micros(?)`,
    [from ?? 0, to ?? Number.MAX_SAFE_INTEGER],
  )
  const isWithin = new Set(rows.map((row) => row['profile_id']))
  return (await believed(harness)).filter((row) => isWithin.has(row['profile_id']))
}

export function expectSame(actual: ReferenceTables, expected: ReferenceTables): void {
  for (const view of VIEWS) {
    expect({ view, rows: actual[view] }).toEqual({ view, rows: expected[view] })
  }
}

/** Returns the rows of a warehouse that has only ever had these definitions. */
export async function shownBy(
  definitions: Definitions,
  lots: [batches: AcceptedEvent[][], watermark: number | null][],
) {
  const harness = new Harness(definitions)
  for (const [batches, watermark] of lots) await feed(harness, batches, watermark)
  const tables = await dump(harness.warehouse)
  await harness.warehouse.close()
  return tables
}

export const check = (property: (scene: Scene) => Promise<void>) =>
  fc.assert(fc.asyncProperty(scene, property), { numRuns: RUNS })
