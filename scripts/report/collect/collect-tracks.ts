/** One journey's tracks: the ways, and what people made of them. */

import { tracksOf, type Journey } from '../../../pipeline/definition/journey.ts'
import type { Row } from '../../../pipeline/warehouse/warehouse.ts'
import {
  CYCLES_MAX,
  DAYS_MAX,
  LAPS_MAX,
  PATH_STATES_MAX,
  STANDING_POINTS_MAX,
  VARIANTS_MAX,
} from '../bounds.ts'
import { collectDetours } from './collect-detours.ts'
import { collectDurations } from './collect-durations.ts'
import { collectWays } from './collect-ways.ts'
import type { CyclePart, StandingPart, TrackPart, VariantPart } from '../document.ts'
import {
  commonest,
  dayOf,
  grouped,
  leftOut,
  number,
  numberOrNull,
  pathOf,
  text,
  type Ask,
} from '../read.ts'

/** Those that lose most people, or are walked most often. */
const CYCLES = commonest(
  'cycle_summary',
  'cycle_count',
  'lost_profile_count desc, cycle_count desc, path',
  CYCLES_MAX,
)

const LAPS = `
  select track, path, lap_no, instance_count, converted_rate
  from laps where journey = ? and lap_no <= ${LAPS_MAX}
  order by track, path, lap_no`

const VARIANTS = commonest(
  'path_variants',
  'instance_count',
  'instance_count desc, path',
  VARIANTS_MAX,
)

const STANDING = `
  select day, track, state, instance_count, days_in_all
  from (
    select day, track, state, instance_count,
      dense_rank() over (order by day desc) as days_back,
      count(distinct day) over () as days_in_all
    from daily_states where journey = ?
  ) as days
  where days_back <= ${DAYS_MAX}
  order by day`

export async function collectTracks(ask: Ask, journey: Journey): Promise<TrackPart[]> {
  const waysOf = await collectWays(
    ask,
    tracksOf(journey).map(([name]) => name),
  )
  const cycles = grouped(await ask(CYCLES), 'track')
  const laps = grouped(await ask(LAPS), 'track')
  const durations = await collectDurations(ask)
  const detours = await collectDetours(ask)
  const standing = grouped(await ask(STANDING), 'track')
  const variants = grouped(await ask(VARIANTS), 'track')
  return tracksOf(journey).map(([name, track]) => {
    const states = Object.keys(track.states)
    const cycleRows = cycles.get(name) ?? []
    const variantRows = variants.get(name) ?? []
    return {
      name,
      initial: track.initial,
      ...waysOf(name, track),
      cycles: cyclesOf(cycleRows, laps.get(name) ?? []),
      cyclesLeftOut: leftOut(cycleRows),
      durations: states.flatMap((state) => durations(name, state)),
      ...detours(name),
      standing: standingOf(states, standing.get(name) ?? []),
      variants: variantRows.map(variantOf),
      variantsLeftOut: leftOut(variantRows),
    }
  })
}

function cyclesOf(rows: Row[], laps: Row[]): CyclePart[] {
  const lapsOf = grouped(laps, 'path')
  return rows.map((row) => ({
    path: pathOf(row['path']),
    count: number(row['cycle_count']),
    profileCount: number(row['profile_count']),
    medianMs: numberOrNull(row['median_duration_ms']),
    p90Ms: numberOrNull(row['p90_duration_ms']),
    totalMs: number(row['total_duration_ms']),
    convertedRate: numberOrNull(row['converted_rate']),
    lostCount: number(row['lost_profile_count']),
    laps: (lapsOf.get(text(row['path'])) ?? []).map((lap) => ({
      lap: number(lap['lap_no']),
      instanceCount: number(lap['instance_count']),
      convertedRate: numberOrNull(lap['converted_rate']),
    })),
  }))
}

/** A day on which nobody stood in a state has no row; it is zero. */
function standingOf(states: string[], rows: Row[]): StandingPart {
  const shown = Math.min(DAYS_MAX, Math.ceil(STANDING_POINTS_MAX / states.length))
  const days = [...new Set(rows.map((row) => dayOf(row['day'])))].slice(-shown)
  const at = new Map(days.map((day, i) => [day, i]))
  const counts = new Map<string, number[]>()
  for (const row of rows) {
    const state = text(row['state'])
    const series = counts.get(state) ?? days.map(() => 0)
    const place = at.get(dayOf(row['day']))
    if (place !== undefined) series[place] = number(row['instance_count'])
    counts.set(state, series)
  }
  return {
    days,
    daysLeftOut: number(rows[0]?.['days_in_all']) - days.length,
    series: states.flatMap((state) => {
      const series = counts.get(state)
      return series === undefined ? [] : [{ state, counts: series }]
    }),
  }
}

function variantOf(row: Row): VariantPart {
  const path = pathOf(row['path'])
  return {
    path: path.slice(0, PATH_STATES_MAX),
    statesLeftOut: Math.max(0, path.length - PATH_STATES_MAX),
    count: number(row['instance_count']),
    profileCount: number(row['profile_count']),
    coverage: number(row['coverage']),
    cumulative: number(row['cumulative_coverage']),
  }
}
