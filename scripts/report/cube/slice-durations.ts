/** Durations for a slice of days, sources and groups, worked out from sketches. */

import { VISITS_MAX } from '../bounds.ts'
import type { CyclePart, DurationPart, FunnelPart, SketchPart, TrackPart } from '../document.ts'
import {
  ageReached,
  incidenceOf,
  isOlder,
  quantileOf,
  survivalOf,
  type Age,
  type Ends,
  type Histogram,
} from '../sketch/sketch.ts'
import { bucketOf, cubeName, stayPath, wayPath } from './cube-names.ts'
import { eachCell, sumsOf, type CubePart, type Slice } from './cube.ts'

const MEDIAN = 5
const NINE_IN_TEN = 9

/** Histograms of a cube by path. */
function histogramsOf(cube: CubePart | undefined, slice: Slice): Map<string, Histogram> {
  const sums = cube === undefined ? new Map<string, Map<string, number>>() : sumsOf(cube, slice)
  return new Map([...sums].map(([path, kinds]) => [path, histogramOf(kinds)]))
}

function histogramOf(kinds: Map<string, number>): Histogram {
  const histogram: Histogram = new Map()
  for (const [name, count] of kinds) {
    const [kind, bucket] = bucketOf(name)
    const counts = histogram.get(bucket) ?? { left: 0, open: 0 }
    counts[kind === 'left' ? 'left' : 'open'] += count
    histogram.set(bucket, counts)
  }
  return histogram
}

function merged(histograms: Histogram[]): Histogram {
  const all: Histogram = new Map()
  for (const [bucket, { left, open }] of histograms.flatMap((one) => [...one])) {
    const counts = all.get(bucket) ?? { left: 0, open: 0 }
    all.set(bucket, { left: counts.left + left, open: counts.open + open })
  }
  return all
}

const countIn = (histogram: Histogram, of: 'left' | 'open'): number =>
  [...histogram.values()].reduce((total, counts) => total + counts[of], 0)

/** Returns the track with the medians of its ways and cycles, and the durations of the stays that
 * began in the slice. What is not in a sketch is null. */
export function withDurations(
  track: TrackPart,
  { cubes, level }: SketchPart,
  journey: string,
  slice: Slice,
): TrackPart {
  const dwells = histogramsOf(cubes[cubeName.dwells(journey, track.name)], slice)
  const rounds = histogramsOf(cubes[cubeName.rounds(journey, track.name)], slice)
  const stays = cubes[cubeName.stays(journey, track.name)]
  return {
    ...track,
    ways: track.ways.map((way) => ({
      ...way,
      medianMs: quantileOf(dwells.get(wayPath(way)) ?? new Map(), MEDIAN, level),
    })),
    cycles: track.cycles.map((cycle): CyclePart => {
      const histogram = rounds.get(cycle.path.join(' > ')) ?? new Map()
      return {
        ...cycle,
        medianMs: quantileOf(histogram, MEDIAN, level),
        p90Ms: quantileOf(histogram, NINE_IN_TEN, level),
      }
    }),
    durations: track.states.flatMap(({ name }) => durationOf(name, stays, slice, level)),
  }
}

function durationOf(
  state: string,
  cube: CubePart | undefined,
  slice: Slice,
  level: number,
): DurationPart[] {
  if (cube === undefined) return []
  const numbers = Array.from({ length: VISITS_MAX + 1 }, (_, i) => i + 1)
  const paths = numbers.map((visit) => stayPath(visit, state))
  const own = { ...cube, paths: cube.paths.filter(({ path }) => paths.includes(path)) }
  const byPath = histogramsOf(own, slice)
  const histograms = paths.map((path) => byPath.get(path) ?? (new Map() as Histogram))
  const all = merged(histograms)
  if (all.size === 0) return []
  const ages: Age[] = []
  const known = (age: Age | null) => {
    if (age !== null) ages.push(age)
    return age?.ms ?? null
  }
  const visits = numbers.slice(0, VISITS_MAX).flatMap((visit, i) => {
    const histogram = histograms[i] as Histogram
    const completed = countIn(histogram, 'left')
    if (completed === 0) return []
    const medianMs = known(ageReached(histogram, MEDIAN, level))
    const p90Ms = known(ageReached(histogram, NINE_IN_TEN, level))
    return [{ visit, completed, medianMs, p90Ms }]
  })
  const later = histograms[VISITS_MAX] as Histogram
  return [
    {
      state,
      inside: countIn(all, 'open'),
      ...stuckIn(own, slice, ageReached(all, NINE_IN_TEN, level), level),
      visits,
      visitsLeftOut: countIn(later, 'left') === 0 ? 0 : null,
      survival: survivalOf(all, level),
      error: Math.max(0, ...ages.map(({ error }) => error)),
    },
  ]
}

/** Open stays that are certain to be older than the age by which nine in ten have left, and the day
 * on which the first of them began. */
function stuckIn(cube: CubePart, slice: Slice, p90: Age | null, level: number) {
  let [stuck, since] = [0, null as number | null]
  if (p90 === null) return { stuck, since }
  for (const { cells } of cube.paths) {
    eachCell(cube, cells, slice, (count, name, day) => {
      const [kind, bucket] = bucketOf(name)
      if (kind !== 'open' || !isOlder(bucket, p90, level)) return
      stuck += count
      since = Math.min(since ?? day, day)
    })
  }
  return { stuck, since }
}

/** Returns the funnel with the times between its steps, and the curve of conversion by age. */
export function withTimes(
  part: FunnelPart,
  { cubes, level }: SketchPart,
  journey: string | null,
  slice: Slice,
): FunnelPart {
  const times = histogramsOf(cubes[cubeName.steps(journey, part.name)], slice)
  const ages = cubes[cubeName.ages(journey, part.name)]
  return {
    ...part,
    byAge: ages === undefined ? [] : incidenceOf(endsOf(ages, slice), level),
    steps: part.steps.map((step, i) => {
      const histogram = times.get(String(i + 1)) ?? new Map()
      return {
        ...step,
        medianMs: quantileOf(histogram, MEDIAN, level),
        p90Ms: quantileOf(histogram, NINE_IN_TEN, level),
      }
    }),
  }
}

function endsOf(cube: CubePart, slice: Slice): Ends {
  const ends: Ends = new Map()
  for (const kinds of sumsOf(cube, slice).values()) {
    for (const [name, count] of kinds) {
      const [kind, bucket] = bucketOf(name)
      const counts = ends.get(bucket) ?? { converted: 0, dropped: 0, pending: 0 }
      counts[kind as keyof typeof counts] += count
      ends.set(bucket, counts)
    }
  }
  return ends
}
