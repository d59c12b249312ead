/** The parts of a journey for the chosen days and source. */

import { cubeName } from '../cube/cube-names.ts'
import { isEverything, type CubePart, type Slice } from '../cube/cube.ts'
import type { FunnelPart, JourneyPart, ReportDocument, TrackPart } from '../document.ts'
import { withDurations, withTimes } from '../cube/slice-durations.ts'
import { sliceFunnel } from '../cube/slice-funnel.ts'
import { sliceTrack, type TrackCubes } from '../cube/slice-track.ts'

export type Sliced = { journey: JourneyPart; track: TrackPart; byEvents: FunnelPart[] }

/** Returns the document's own numbers if everything is chosen. */
export function slicedOf(
  report: ReportDocument,
  journey: JourneyPart,
  track: TrackPart,
  slice: Slice,
): Sliced {
  if (isEverything(slice)) return { journey, track, byEvents: report.funnels }
  const cubes = trackCubes(report, journey, track)
  return {
    journey: { ...journey, funnels: slicedFunnels(report, journey.id, journey.funnels, slice) },
    track: withDurations(
      cubes === null ? track : sliceTrack(track, cubes, slice),
      report.sketches,
      journey.id,
      slice,
    ),
    byEvents: slicedFunnels(report, null, report.funnels, slice),
  }
}

export function trackCubes(
  { cubes }: ReportDocument,
  { id }: JourneyPart,
  { name }: TrackPart,
): TrackCubes | null {
  const ways = cubes[cubeName.ways(id, name)]
  const cycles = cubes[cubeName.cycles(id, name)]
  const paths = cubes[cubeName.paths(id, name)]
  if (ways === undefined || cycles === undefined || paths === undefined) return null
  return { ways, cycles, paths }
}

/** A funnel that nobody entered has no cube, and stays empty. */
export function slicedFunnels(
  { cubes, sketches }: ReportDocument,
  journey: string | null,
  funnels: FunnelPart[],
  slice: Slice,
): FunnelPart[] {
  return funnels.map((part) => {
    const cube = cubes[cubeName.funnel(journey, part.name)]
    if (cube === undefined) return part
    return withTimes(sliceFunnel(part, cube, slice), sketches, journey, slice)
  })
}

/** The cubes that a journey's numbers are recomputed from. */
export function cubesOf(
  report: ReportDocument,
  journey: JourneyPart,
  track: TrackPart,
): CubePart[] {
  const funnels = journey.funnels.flatMap(
    ({ name }) => report.cubes[cubeName.funnel(journey.id, name)] ?? [],
  )
  return [...Object.values(trackCubes(report, journey, track) ?? {}), ...funnels]
}
