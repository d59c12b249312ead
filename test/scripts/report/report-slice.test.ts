/**
 * Numbers that the page recomputes from its cubes: for the whole period they are those of the views,
 * and for a range or a source those of a count over the rows.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import { boundCubes } from '../../../scripts/report/cube/bound-cubes.ts'
import { collect } from '../../../scripts/report/collect/collect.ts'
import { cubeName } from '../../../scripts/report/cube/cube-names.ts'
import {
  DAY_MS,
  EVERYTHING,
  OTHER,
  packCube,
  sumsOf,
  type CubePart,
  type Slice,
} from '../../../scripts/report/cube/cube.ts'
import type {
  FunnelPart,
  JourneyPart,
  ReportDocument,
  TrackPart,
} from '../../../scripts/report/document.ts'
import { sliceFunnel } from '../../../scripts/report/cube/slice-funnel.ts'
import { sliceTrack } from '../../../scripts/report/cube/slice-track.ts'
import { BASE as START, busyWarehouse } from '../../support/report/report-data.ts'

let warehouse: Warehouse
let report: ReportDocument
let journey: JourneyPart

beforeAll(async () => {
  warehouse = await busyWarehouse()
  report = await collect(warehouse, null)
  journey = report.journeys.find(({ id }) => id === 'order') as JourneyPart
})
afterAll(() => warehouse.close())

const RANGE = { from: START + 2 * DAY_MS, to: START + 4 * DAY_MS }
const SLICES: [string, Slice][] = [
  ['three days', { ...EVERYTHING, ...RANGE }],
  ['a source', { ...EVERYTHING, source: 'web' }],
  ['three days of a source', { ...EVERYTHING, ...RANGE, source: 'ios' }],
]

/** The slice as a condition on a day and a source. */
function inSlice({ from, to, source }: Slice, at: string, sourceColumn: string): string {
  return [
    from === null ? 'true' : `${at} >= make_timestamptz(${from * 1_000})`,
    to === null ? 'true' : `${at} < make_timestamptz(${(to + DAY_MS) * 1_000})`,
    source === null ? 'true' : `${sourceColumn} = '${source}'`,
  ].join(' and ')
}

const countOf = async (sql: string) => Number((await warehouse.query(sql))[0]?.['n'])

const cubeOf = (name: string) => {
  const cube = report.cubes[name]
  if (cube === undefined) throw new Error(`no cube ${name}`)
  return cube
}
const funnelIn = (slice: Slice, owner: JourneyPart | null = journey): FunnelPart => {
  const part = (owner?.funnels ?? report.funnels)[0] as FunnelPart
  return sliceFunnel(part, cubeOf(cubeName.funnel(owner?.id ?? null, part.name)), slice)
}
const trackIn = (slice: Slice, owner: JourneyPart, track: TrackPart) =>
  sliceTrack(
    track,
    {
      ways: cubeOf(cubeName.ways(owner.id, track.name)),
      cycles: cubeOf(cubeName.cycles(owner.id, track.name)),
      paths: cubeOf(cubeName.paths(owner.id, track.name)),
    },
    slice,
  )

describe('everything', () => {
  test.each(['order', null])('gives the numbers of the funnel views, for %s', (id) => {
    const owner = id === null ? null : journey
    const [part] = owner?.funnels ?? report.funnels
    const recomputed = funnelIn(EVERYTHING, owner)
    const untimed = part?.steps.map((step) => ({ ...step, medianMs: null, p90Ms: null }))
    expect(part?.matured?.converted).toBeGreaterThan(0)
    expect(recomputed).toEqual({ ...part, steps: untimed })
  })

  test('gives the numbers of the views of every track', () => {
    const tracks = report.journeys.flatMap((owner) => owner.tracks.map((track) => [owner, track]))
    expect(tracks).toHaveLength(3)
    for (const [owner, track] of tracks as [JourneyPart, TrackPart][]) {
      const recomputed = trackIn(EVERYTHING, owner, track)
      const byWay = (part: TrackPart) =>
        part.ways.map(({ from, to, cause, count, probability }) =>
          [from, to, cause, count, probability].join(' '),
        )
      expect(byWay(recomputed).sort()).toEqual(byWay(track).sort())
      const states = track.states.map((state) => ({ ...state, profileCount: null }))
      expect(recomputed.states).toEqual(states)
      expect(recomputed.cycles).toEqual(track.cycles)
      expect(recomputed.standing).toEqual(track.standing)
      const byPath = (part: TrackPart) =>
        part.variants.map(({ path, count, coverage }) =>
          [path.join(' '), count, coverage].join(' '),
        )
      expect(byPath(recomputed).sort()).toEqual(byPath(track).sort())
    }
  })
})

describe.each(SLICES)('%s', (_name, slice) => {
  test('gives the units that entered then', async () => {
    const units = `funnel_units where funnel = 'purchase' and
      ${inSlice(slice, 'entered_at', 'source')}`
    const part = funnelIn(slice)
    const entered = await countOf(`select count(*) as n from ${units}`)
    expect(entered).toBeGreaterThan(10)
    expect(part.steps[0]?.reached).toBe(entered)
    expect(part.steps[0]?.pending).toBe(
      await countOf(`select count(*) as n from ${units} and outcome = 'pending'`),
    )
    expect(part.matured?.count).toBe(
      await countOf(`select count(*) as n from ${units} and is_matured`),
    )
    expect(part.matured?.converted).toBe(
      await countOf(`select count(*) as n from ${units} and is_matured and outcome = 'converted'`),
    )
    expect(part.steps[2]?.reached).toBe(
      await countOf(`select count(*) as n from ${units} and deepest_step = 3`),
    )
  })

  test('gives the moves, entries and exits of then', async () => {
    const [track] = journey.tracks as [TrackPart]
    const part = trackIn(slice, journey, track)
    // A timeout has no source of its own.
    const moves = `transitions where journey = 'order' and cause = 'event' and
      ${inSlice(slice, 'occurred_at', 'source')}`
    expect(part.ways.length).toBeGreaterThan(2)
    for (const { from, to, cause, count } of part.ways) {
      if (cause !== 'event') continue
      const where = `from_state = '${from}' and to_state = '${to}'`
      expect(count).toBe(await countOf(`select count(*) as n from ${moves} and ${where}`))
    }
    const cycles = part.cycles.reduce((total, { count }) => total + count, 0)
    expect(cycles).toBe(
      await countOf(
        `select count(*) as n from cycles inner join sourced_transitions
         on transition_id = closed_by
         where cycles.journey = 'order' and ${inSlice(slice, 'ended_at', 'source')}`,
      ),
    )
    if (slice.source !== null || slice.to === null) return
    const before = `make_timestamptz(${(slice.to + DAY_MS) * 1_000})`
    for (const { name, inside } of part.states) {
      expect(inside).toBe(
        await countOf(
          `select count(*) as n from states where journey = 'order' and state = '${name}'
           and entered_at < ${before} and (exited_at is null or exited_at >= ${before})`,
        ),
      )
    }
  })
})

test('funnels are compared by a property of the entering event', async () => {
  const byPlan = await collect(warehouse, 'order', 'properties.plan')
  const cube = byPlan.cubes[cubeName.funnel('order', 'purchase')] as CubePart
  expect(cube.groups.toSorted()).toEqual(['free', 'paid'])
  const [part] = journey.funnels as [FunnelPart]
  for (const group of cube.groups) {
    const sliced = sliceFunnel(part, cube, { ...EVERYTHING, group })
    const units = `funnel_units inner join events on events.event_id = funnel_units.event_id
      where funnel = 'purchase' and json_extract_string(properties, '$.plan') = '${group}'`
    expect(sliced.steps[0]?.reached).toBe(await countOf(`select count(*) as n from ${units}`))
    expect(sliced.matured?.converted).toBe(
      await countOf(`select count(*) as n from ${units} and is_matured and outcome = 'converted'`),
    )
  }
  expect(sliceFunnel(part, cube, EVERYTHING)).toEqual(funnelIn(EVERYTHING))
})

describe('bounds', () => {
  const cell = (path: string, value: number, source = 'web') => ({
    path,
    day: START,
    source,
    group: '',
    kind: '',
    value,
  })

  test('rare paths are left out and counted until the cubes fit', () => {
    const paths = Array.from({ length: 500 }, (_, i) => cell(`path number ${i}`, 500 - i))
    const small = packCube([cell('a', 1)], [''], 3)
    const cubes = { large: packCube(paths, [''], 3), small }
    const bounded = boundCubes(cubes, 4_000)
    const { large } = bounded
    expect(JSON.stringify(bounded).length).toBeLessThan(4_100)
    expect(bounded['small']).toEqual(small)
    expect(large?.paths[0]?.path).toBe('path number 0')
    expect(large?.paths.length).toBeGreaterThan(50)
    const shown = [...sumsOf(large as NonNullable<typeof large>, EVERYTHING).values()]
    const count = shown.reduce((total, kinds) => total + (kinds.get('') ?? 0), 0)
    expect(count + (large?.others.count ?? 0)).toBe((500 * 501) / 2)
    expect((large?.paths.length ?? 0) + (large?.others.paths ?? 0)).toBe(500)
  })

  test('rare sources share a name', () => {
    const cells = ['a', 'b', 'c', 'd', 'e'].map((source, i) => cell('p', 10 - i, source))
    const cube = packCube(cells, [''], 2)
    expect(cube.sources).toEqual(['a', 'b', OTHER])
    const sums = sumsOf(cube, { ...EVERYTHING, source: OTHER })
    expect(sums.get('p')?.get('')).toBe(8 + 7 + 6)
  })
})
