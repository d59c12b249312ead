/**
 * Durations that the page works out from sketches: within the error it states of those of the rows,
 * for any days, source or group, and with open stays counted as long as they have lasted.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import { slicedOf } from '../../../scripts/report/client/sliced.ts'
import { collect } from '../../../scripts/report/collect/collect.ts'
import { DAY_MS, EVERYTHING, type Slice } from '../../../scripts/report/cube/cube.ts'
import type { JourneyPart, ReportDocument, TrackPart } from '../../../scripts/report/document.ts'
import {
  ageReached,
  errorOf,
  incidenceOf,
  quantileOf,
  survivalOf,
  type Histogram,
} from '../../../scripts/report/sketch/sketch.ts'
import { Random } from '../../../scripts/sample/random.ts'
import { ageBy, survivalOf as exactSurvival, type Exit } from '../../reference/shares.ts'
import { BASE, busyWarehouse } from '../../support/report/report-data.ts'

const GROWTH = 1.05 / 0.95

const bucketOf = (ms: number, level: number) =>
  Math.floor(Math.log(Math.max(1, ms)) / Math.log(GROWTH ** (2 ** level)))

function histogramOf(exits: readonly Exit[], level: number): Histogram {
  const histogram: Histogram = new Map()
  for (const { age, hasLeft } of exits) {
    const bucket = bucketOf(age, level)
    const counts = histogram.get(bucket) ?? { left: 0, open: 0 }
    counts[hasLeft ? 'left' : 'open'] += 1
    histogram.set(bucket, counts)
  }
  return histogram
}

/** Ages from milliseconds to years. */
function randomExits(random: Random, openTenths: number): Exit[] {
  const count = random.between(1, 60)
  return Array.from({ length: count }, () => ({
    age: Math.floor(Math.exp(random.between(0, 2_400) / 100)),
    hasLeft: random.between(1, 10) > openTenths,
  }))
}

describe.each([0, 1, 2])('buckets of level %i', (level) => {
  test('quantiles are within the stated error of the nearest rank', () => {
    const random = new Random(level + 1)
    for (let run = 0; run < 300; run++) {
      const exits = randomExits(random, 0)
      const ages = exits.map(({ age }) => age).sort((a, b) => a - b)
      for (const tenths of [5, 9]) {
        const exact = ages.find((_, i) => 10 * (i + 1) >= tenths * ages.length) ?? NaN
        const found = quantileOf(histogramOf(exits, level), tenths, level) ?? NaN
        expect(Math.abs(found - exact)).toBeLessThanOrEqual(errorOf(level) * exact + 1)
      }
    }
  })

  test('ages of the survival curve are within their error of the exact ones', () => {
    const random = new Random(level + 7)
    let [known, exactlyKnown] = [0, 0]
    for (let run = 0; run < 300; run++) {
      const exits = randomExits(random, random.between(0, 6))
      for (const tenths of [5, 9]) {
        const exact = ageBy(tenths, exits)
        const found = ageReached(histogramOf(exits, level), tenths, level)
        exactlyKnown += exact === null ? 0 : 1
        if (found === null) continue
        known += 1
        expect(exact).not.toBeNull()
        const off = Math.abs(found.ms - (exact ?? NaN))
        expect(off).toBeLessThanOrEqual(found.error * (exact ?? NaN) + 1)
      }
    }
    // What the buckets leave open is rare.
    expect(known).toBeGreaterThan(0.9 * exactlyKnown)
  })
})

test('curves are exact where no two ages share a bucket', () => {
  const exits = [1, 10, 100, 1_000, 10_000].map((age, i) => ({ age, hasLeft: i % 2 === 0 }))
  const shares = survivalOf(histogramOf(exits, 0), 0).map(([, share]) => share)
  expect(shares).toEqual(exactSurvival(exits).map(({ share }) => Math.round(share * 1e4) / 1e4))
  // Of four, one converts, one ends, one is open, and the last converts: 1/4, then all that is left.
  const ends = new Map(
    (['converted', 'dropped', 'pending', 'converted'] as const).map((kind, i) => [
      i * 10,
      { converted: 0, dropped: 0, pending: 0, [kind]: 1 },
    ]),
  )
  expect(incidenceOf(ends, 0).map(([, share]) => share)).toEqual([0.25, 0.25, 0.75])
})

describe('a warehouse', () => {
  let warehouse: Warehouse
  let report: ReportDocument
  let journey: JourneyPart
  let track: TrackPart

  beforeAll(async () => {
    warehouse = await busyWarehouse()
    report = await collect(warehouse, 'order', 'properties.plan')
    ;[journey] = report.journeys as [JourneyPart]
    ;[track] = journey.tracks as [TrackPart]
  })
  afterAll(() => warehouse.close())

  const RANGE = { from: BASE + DAY_MS, to: BASE + 3 * DAY_MS }
  const SLICES: [string, Slice][] = [
    ['everything', EVERYTHING],
    ['three days', { ...EVERYTHING, ...RANGE }],
    ['a source', { ...EVERYTHING, source: 'web' }],
    ['three days of a source and a group', { ...RANGE, source: 'ios', group: 'paid' }],
  ]

  /** People have one plan each, from their first event on. */
  const inSlice = ({ from, to, source, group }: Slice, at: string) =>
    [
      from === null ? 'true' : `${at} >= make_timestamptz(${from * 1_000})`,
      to === null ? 'true' : `${at} < make_timestamptz(${(to + DAY_MS) * 1_000})`,
      source === null ? 'true' : `moves.source = '${source}'`,
      group === null
        ? 'true'
        : `moves.profile_id in (select profile_id from event_profiles natural join events
           where json_extract_string(properties, '$.plan') = '${group}')`,
    ].join(' and ')

  /** Slices as the page has them, whose numbers come from the sketches for everything too. */
  const chosen = (slice: Slice) =>
    slicedOf(report, journey, track, slice === EVERYTHING ? { ...slice, from: 0 } : slice)

  const near = (found: number | null, exact: number | null, error: number) => {
    expect(found === null).toBe(exact === null)
    expect(Math.abs((found ?? 0) - (exact ?? 0))).toBeLessThanOrEqual(error * (exact ?? 0) + 1)
  }

  const MOVES = `(
    select sourced_transitions.*, profile_id
    from sourced_transitions natural join (select transition_id, profile_id from transitions)
  ) as moves`

  test.each(SLICES)('has the times in state of %s', async (_name, slice) => {
    const { durations } = chosen(slice).track
    expect(durations.map(({ state }) => state)).toContain('cart')
    for (const { state, visits, inside, error } of durations) {
      const rows = await warehouse.query(`
        select stays.visit, exited_at is not null as has_left,
          (epoch_us(coalesce(exited_at, (select max(watermark) from batches)))
            - epoch_us(entered_at)) // 1000 as age
        from states as stays inner join ${MOVES}
          on moves.journey = stays.journey and moves.instance_id = stays.instance_id
          and moves.to_state = stays.state and moves.visit = stays.visit
        where stays.journey = 'order' and state = '${state}'
          and ${inSlice(slice, 'entered_at')}`)
      expect(inside).toBe(rows.filter((row) => row['has_left'] === false).length)
      for (const { visit, completed, medianMs, p90Ms } of visits) {
        const exits = rows
          .filter((row) => Number(row['visit']) === visit)
          .map((row): Exit => ({
            age: Number(row['age']),
            hasLeft: row['has_left'] === true,
          }))
        expect(completed).toBe(exits.filter(({ hasLeft }) => hasLeft).length)
        near(medianMs, ageBy(5, exits), error)
        near(p90Ms, ageBy(9, exits), error)
      }
    }
  })

  test.each(SLICES)('has the times of ways and cycles of %s', async (_name, slice) => {
    const { error } = report.sketches
    const { ways, cycles } = chosen(slice).track
    expect(Math.min(ways.length, cycles.length)).toBeGreaterThan(0)
    for (const { from, to, cause, medianMs } of ways) {
      const [row = {}] = await warehouse.query(`
        select quantile_disc(moves.dwell_ms, 0.5) as ms from ${MOVES}
        where journey = 'order' and cause = '${cause}' and from_state = '${from}'
          and to_state = '${to}' and ${inSlice(slice, 'occurred_at')}`)
      near(medianMs, Number(row['ms']), error)
    }
    for (const { path, medianMs, p90Ms } of cycles) {
      const [row = {}] = await warehouse.query(`
        select quantile_disc(duration_ms, 0.5) as half, quantile_disc(duration_ms, 0.9) as most
        from cycles inner join ${MOVES} on transition_id = closed_by
        where cycles.journey = 'order' and path = '${path.join(' > ')}'
          and ${inSlice(slice, 'ended_at')}`)
      near(medianMs, Number(row['half']), error)
      near(p90Ms, Number(row['most']), error)
    }
  })

  test.each(SLICES)('has the times between the steps of a funnel of %s', async (_name, slice) => {
    const [funnel] = chosen(slice).journey.funnels
    for (const [i, { medianMs, p90Ms }] of (funnel?.steps ?? []).entries()) {
      if (i === 0) continue
      const [row = {}] = await warehouse.query(`
        select quantile_disc(since_previous_ms, 0.5) as half,
          quantile_disc(since_previous_ms, 0.9) as most
        from funnel_units as moves inner join funnel_unit_step_times as times
          on times.funnel = moves.funnel and times.unit = moves.unit
        where moves.funnel = 'purchase' and step_no = ${i + 1} and ${inSlice(slice, 'entered_at')}`)
      near(medianMs, Number(row['half']), report.sketches.error)
      near(p90Ms, Number(row['most']), report.sketches.error)
    }
  })

  test('has the curves of the views for everything', () => {
    const { journey: whole, track: own } = chosen(EVERYTHING)
    const end = (points?: [number, number][]) => points?.at(-1)?.[1] ?? NaN
    const [found, exact] = [whole.funnels[0]?.byAge, journey.funnels[0]?.byAge]
    expect(end(exact)).toBeGreaterThan(0)
    expect(Math.abs(end(found) - end(exact))).toBeLessThan(0.01)
    const survival = (part: TrackPart) =>
      part.durations.find(({ state }) => state === 'cart')?.survival
    expect(Math.abs(end(survival(own)) - end(survival(track)))).toBeLessThan(0.01)
  })
})
