/** A track's numbers for a slice of days and sources, recomputed from its cubes. */

import { PATH_STATES_MAX, VARIANTS_MAX } from '../bounds.ts'
import { wayPath } from './cube-names.ts'
import { COUNT, MS_SUM, sumsOf, type CubePart, type Slice } from './cube.ts'
import type { CyclePart, StandingPart, TrackPart, VariantPart } from '../document.ts'

export type TrackCubes = { ways: CubePart; cycles: CubePart; paths: CubePart }

/**
 * Returns the track of the slice: moves, entries, exits, cycles and whole paths are sums, and the
 * days of the standing are cut. Whole paths are of all groups. Refusals stay those of the whole
 * period, and durations are not sums, see `withDurations`.
 */
export function sliceTrack(track: TrackPart, cubes: TrackCubes, slice: Slice): TrackPart {
  return {
    ...track,
    ...waysOf(track, cubes.ways, slice),
    cycles: cyclesOf(track.cycles, cubes.cycles, slice),
    standing: standingOf(track.standing, slice),
    ...variantsOf(cubes.paths, { ...slice, group: null }),
  }
}

type Moves = { path: string; cause: string; from: string; to: string; count: number }

function movesOf(cube: CubePart, slice: Slice): Moves[] {
  return [...sumsOf(cube, slice)].map(([path, kinds]) => {
    const [cause = '', from = '', to = ''] = path.split(' > ')
    return { path, cause, from, to, count: kinds.get('') ?? 0 }
  })
}

const total = <T>(items: T[], of: (item: T) => number): number =>
  items.reduce((sum, item) => sum + of(item), 0)

function waysOf(track: TrackPart, cube: CubePart, slice: Slice) {
  const moves = movesOf(cube, slice)
  const counts = new Map(moves.map((move) => [move.path, move.count]))
  const ways = track.ways.flatMap((way) => {
    const count = counts.get(wayPath(way)) ?? 0
    const exits = total(
      moves.filter(({ from }) => from === way.from),
      (move) => move.count,
    )
    if (count === 0) return []
    const unknown = { profileCount: null, shareOfStays: null, medianMs: null, events: [] }
    return [{ ...way, ...unknown, count, probability: count / exits }]
  })
  // Of all sources, who came by the end of the range and has not left by then is inside.
  const isOfAll = slice.source === null && slice.group === null && cube.others.paths === 0
  const until = isOfAll ? movesOf(cube, { ...slice, from: null }) : []
  return {
    started: total(moves, (move) => (move.cause === 'start' ? move.count : 0)),
    ways: ways.sort((a, b) => b.count - a.count),
    states: track.states.map((state) => ({
      ...state,
      entered: total(moves, ({ to, count }) => (to === state.name ? count : 0)),
      inside: isOfAll
        ? total(until, ({ to, count }) => (to === state.name ? count : 0)) -
          total(until, ({ from, count }) => (from === state.name ? count : 0))
        : null,
      profileCount: null,
    })),
  }
}

function cyclesOf(cycles: CyclePart[], cube: CubePart, slice: Slice): CyclePart[] {
  const sums = sumsOf(cube, slice)
  return cycles.flatMap((cycle) => {
    const kinds = sums.get(cycle.path.join(' > '))
    if (kinds === undefined) return []
    return [{ ...cycle, count: kinds.get(COUNT) ?? 0, totalMs: kinds.get(MS_SUM) ?? 0 }]
  })
}

/** The number at the end of a day depends on all days before it, and is of every source. */
function standingOf({ days, series, ...rest }: StandingPart, slice: Slice): StandingPart {
  const isIn = (day: number) =>
    (slice.from === null || day >= slice.from) && (slice.to === null || day <= slice.to)
  return {
    ...rest,
    days: days.filter(isIn),
    series: series.map(({ state, counts }) => ({
      state,
      counts: counts.filter((_, i) => isIn(days[i] as number)),
    })),
  }
}

function variantsOf(cube: CubePart, slice: Slice): Pick<TrackPart, 'variants' | 'variantsLeftOut'> {
  const counts = [...sumsOf(cube, slice)]
    .map(([path, kinds]) => ({ path, count: total([...kinds.values()], (runs) => runs) }))
    .sort((a, b) => b.count - a.count)
  const all = total(counts, ({ count }) => count)
  let cumulative = 0
  const variants = counts.slice(0, VARIANTS_MAX).map(({ path, count }): VariantPart => {
    const states = path.split(' > ')
    cumulative += count
    return {
      path: states.slice(0, PATH_STATES_MAX),
      statesLeftOut: Math.max(0, states.length - PATH_STATES_MAX),
      count,
      profileCount: null,
      coverage: count / all,
      cumulative: cumulative / all,
    }
  })
  const left = counts.slice(VARIANTS_MAX)
  return {
    variants,
    variantsLeftOut: { paths: left.length, times: total(left, ({ count }) => count) },
  }
}
