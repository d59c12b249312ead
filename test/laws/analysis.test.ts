/**
 * The analysis views return what a slow, independent computation over the public views returns, on
 * random people and journeys; and the views as of an instant return what they returned at that
 * instant.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { analysisViews } from '../../pipeline/warehouse/analysis-views.ts'
import { makeDefinitions, type Definitions } from '../../pipeline/definition/load.ts'
import type { Row, Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import type { Journey, Track } from '../../pipeline/definition/journey.ts'
import { OUTCOMES, type Outcome } from '../../pipeline/definition/outcome.ts'
import { ANALYSIS, type Tables } from '../reference/analysis.ts'
import { DAILY } from '../reference/analysis-daily.ts'
import { FUNNELS, type FunnelTables } from '../reference/analysis-funnel.ts'
import { HISTORY, type History, type Version } from '../reference/analysis-history.ts'
import { funnelled } from '../support/arbitraries-funnel.ts'
import { arrivals, eventStream, identity } from '../support/arbitraries.ts'
import { Harness, lineOf, sorted } from '../support/dump.ts'
import type { Row as JsonRow } from '../reference/reference.ts'
import { isLong, runsOf } from '../support/long.ts'

const RUNS = runsOf('ANALYSIS_RUNS', 4, 20)
/** Fixed seed, because every view must return rows for these histories. */
const SEED = Number(process.env['ANALYSIS_SEED'] ?? 7)
/** Takes a few seconds on an idle machine. */
const TIME_MAX_MS = 300_000
/** Histories over hours, days and weeks. */
const STRETCH = [1, 24, 300]
const START = 1_772_359_200_000_000

/** Outcome of the final state of every track; null declares none. */
const outcome = fc.constantFrom(null, null, ...OUTCOMES)

function withOutcome(journey: Journey, outcome: Outcome): Journey {
  const named = <T extends Track>(track: T): T => ({
    ...track,
    states: Object.fromEntries(
      Object.entries(track.states).map(([name, state]) => [
        name,
        state.type === 'final' ? { ...state, outcome } : state,
      ]),
    ),
  })
  if (journey.type !== 'parallel') return named(journey)
  const tracks = Object.entries(journey.states).map(([name, track]) => [name, named(track)])
  return { ...journey, states: Object.fromEntries(tracks) as { [track: string]: Track } }
}

const scene = fc
  .record({
    events: eventStream,
    identity,
    ...funnelled,
    stretch: fc.constantFrom(...STRETCH),
    outcome,
  })
  .map(({ events, stretch, outcome, journey, ...rest }) => ({
    ...rest,
    journey: outcome === null ? journey : withOutcome(journey, outcome),
    events: events.map((event) => ({
      ...event,
      occurred_at: START + (event.occurred_at - START) * stretch,
    })),
  }))
  .chain((parts) => fc.record({ parts: fc.constant(parts), batches: arrivals(parts.events) }))

/** Key and event time of each view's versions. */
const VERSIONS: { [view: string]: { relation: string; key: string; at: string } } = {
  transitions: { relation: 'transition_facts', key: 'transition_id', at: 'occurred_at' },
  states: { relation: 'state_versions', key: 'state_id', at: 'entered_at' },
  cycles: { relation: 'cycle_facts', key: 'cycle_id', at: 'ended_at' },
  rejections: { relation: 'rejection_facts', key: 'event_id', at: 'occurred_at' },
  sessions: { relation: 'session_versions', key: 'session_id', at: 'started_at' },
  event_profiles: {
    relation: 'event_profile_versions',
    key: 'event_id',
    at: '(select occurred_at from events where events.event_id = versions.event_id)',
  },
  identities: {
    relation: 'identity_versions',
    key: "namespace || ':' || value",
    at: 'first_seen_at',
  },
  funnel_attempts: {
    relation: 'funnel_attempt_versions',
    key: 'attempt_id',
    at: 'entered_at',
  },
  identity_conflicts: {
    relation: 'identity_conflict_versions',
    key: "kept || ' ' || refused",
    at: 'occurred_at',
  },
}

async function tablesOf(
  warehouse: Warehouse,
  { identity: { person } }: Definitions,
): Promise<Tables & FunnelTables & History> {
  const ask = async <T>(sql: string) => (await warehouse.query(sql)) as T[]
  const batches = await ask<History['batches'][number]>('select * from batches order by batch')
  const versions: History['versions'] = {}
  for (const [view, { relation, key, at }] of Object.entries(VERSIONS)) {
    versions[view] = (
      await ask<Version>(
        `select *, ${key} as row_id, ${at} as happened_at from ${relation} as versions`,
      )
    ).map((row) => ({
      ...row,
      journey: row.journey ?? null,
      version: row.version ?? null,
      profile_id: row.profile_id ?? null,
    }))
  }
  return {
    transitions: await ask('select * from transitions'),
    states: await ask('select * from states'),
    cycles: await ask('select * from cycles'),
    events: await ask('select * from events'),
    outcomes: await ask('select * from outcomes order by recorded_by'),
    sessions: await ask('select * from sessions'),
    sightings: await ask(
      'select profile_id, occurred_at from event_profiles join events using (event_id)',
    ),
    rejections: await ask('select * from rejections'),
    attempts: await ask('select * from funnel_attempts'),
    attemptSteps: await ask('select * from funnel_attempt_steps'),
    definitions: await ask('select * from funnel_definitions'),
    touches: await ask('select * from sessions'),
    conflicts: await ask('select * from identity_conflicts'),
    batches,
    versions,
    personNamespaces: person,
    watermark: batches.at(-1)?.watermark ?? 0,
  }
}

const inOrder = (rows: Row[]) => sorted(rows as JsonRow[])

const REFERENCES: { [view: string]: (tables: Tables & FunnelTables & History) => Row[] } = {
  ...ANALYSIS,
  ...FUNNELS,
  ...DAILY,
  ...HISTORY,
}

test('every analysis view has a reference implementation', () => {
  const names = analysisViews().map(({ name }) => name)
  expect(Object.keys(REFERENCES)).toEqual(expect.arrayContaining(names))
})

/** `stuck` needs at least ten earlier stays: `survival.test.ts` creates them. */
const RARE = ['stuck']

/** Corrections read all versions and have no function of an instant. */
const TIMELESS = ['late_corrections', 'corrections_by_day']

test(
  'the views return what the slow reference returns',
  async () => {
    const spoke = new Set<string>()
    await fc.assert(
      fc.asyncProperty(scene, async ({ parts, batches }) => {
        const definitions = makeDefinitions({ ...parts, journeys: [parts.journey] })
        const harness = new Harness(definitions)
        for (const batch of batches) await harness.feed(batch.map(lineOf))
        const { warehouse } = harness
        const tables = await tablesOf(warehouse, definitions)
        for (const [view, reading] of Object.entries(REFERENCES)) {
          const rows = inOrder(await warehouse.query(`select * from ${view}`))
          expect({ view, rows }).toEqual({ view, rows: inOrder(reading(tables)) })
          if (rows.length > 0) spoke.add(view)
        }
        await warehouse.close()
      }),
      { numRuns: RUNS, seed: SEED },
    )
    const common = Object.keys(REFERENCES).filter((view) => !RARE.includes(view))
    if (isLong) expect([...spoke]).toEqual(expect.arrayContaining(common))
  },
  TIME_MAX_MS,
)

test(
  'the views as of a batch equal the views after that batch',
  async () => {
    const views = Object.keys(REFERENCES).filter((view) => !TIMELESS.includes(view))
    await fc.assert(
      fc.asyncProperty(scene, async ({ parts, batches }) => {
        const harness = new Harness(makeDefinitions({ ...parts, journeys: [parts.journey] }))
        const ask = async (relation: string) =>
          inOrder(await harness.warehouse.query(`select * from ${relation}`))
        const half = Math.ceil(batches.length / 2)
        for (const batch of batches.slice(0, half)) await harness.feed(batch.map(lineOf))
        const then = new Map<string, Row[]>()
        for (const view of views) then.set(view, await ask(view))
        const at = (await harness.pipeline()).head.recordedAt
        for (const batch of batches.slice(half)) await harness.feed(batch.map(lineOf))
        for (const view of views) {
          const rows = await ask(`${view}_as_of(make_timestamptz(${at}))`)
          expect({ view, rows }).toEqual({ view, rows: then.get(view) })
        }
        await harness.warehouse.close()
      }),
      { numRuns: RUNS / 2 },
    )
  },
  TIME_MAX_MS,
)
