/** One side of a comparison: a source, a value, another version or a cohort, on the chosen days. */

import { cubeName, populationName } from '../../cube/cube-names.ts'
import { sumsOf, COUNT, type CubePart, type Slice } from '../../cube/cube.ts'
import { sliceFunnel } from '../../cube/slice-funnel.ts'
import type {
  FunnelPart,
  JourneyPart,
  PopulationPart,
  ReportDocument,
  TrackPart,
} from '../../document.ts'
import { choicesOf } from '../choices.ts'
import type { Choice } from './choice.ts'
import { slicedFunnels } from '../sliced.ts'

export type Side = {
  title: string
  funnels: FunnelPart[]
  /** Moves by their path, and how often each cycle was completed. */
  moves: Map<string, number>
  cycles: Map<string, number>
  slice: Slice
  /** The `with` clause under which the daily views are its own; empty for the live version. */
  sql: string
}

/** Returns what a journey can be compared by. */
export function allChoices(report: ReportDocument, journey: JourneyPart): Choice[] {
  const { sources, groups } = choicesOf(report)
  const of = (kind: Choice['kind'], names: string[]) => names.map((name) => ({ kind, name }))
  const populations = report.populations
    .filter((one) => one.journey === null || one.journey === journey.id)
    .map(({ kind, name }) => ({ kind, name }))
  return [
    ...of('source', sources.length < 2 ? [] : sources),
    ...of('group', groups.length < 2 ? [] : groups),
    ...populations,
  ]
}

/** Returns the numbers of a choice; null is everything that the page has chosen. */
export function sideOf(
  report: ReportDocument,
  journey: JourneyPart,
  track: TrackPart,
  slice: Slice,
  choice: Choice | null,
): Side {
  const population = report.populations.find(
    ({ kind, name, journey: owner }) =>
      kind === choice?.kind && name === choice.name && (owner === null || owner === journey.id),
  )
  if (choice === null || population === undefined) {
    const own = choice === null ? slice : { ...slice, [choice.kind]: choice.name }
    return {
      title: choice?.name ?? chosenText(slice),
      funnels: [
        ...slicedFunnels(report, journey.id, journey.funnels, own),
        ...slicedFunnels(report, null, report.funnels, own),
      ],
      moves: countsOf(report.cubes[cubeName.ways(journey.id, track.name)], own),
      cycles: countsOf(report.cubes[cubeName.cycles(journey.id, track.name)], own),
      slice: own,
      sql: '',
    }
  }
  // Counts of a population have no groups.
  const own = { ...slice, group: null }
  const cubeOf = (name: string) => report.populationCubes[populationName(population, name)]
  return {
    title: `${population.kind} ${population.name}${slice.source === null ? '' : `, ${slice.source}`}`,
    funnels: populationFunnels(report, journey, population).map(([owner, part]) => {
      const cube = cubeOf(cubeName.funnel(owner, part.name))
      return sliceFunnel(part, cube ?? EMPTY, own)
    }),
    moves: countsOf(cubeOf(cubeName.ways(journey.id, track.name)), own),
    cycles: countsOf(cubeOf(cubeName.cycles(journey.id, track.name)), own),
    slice: own,
    sql: population.sql,
  }
}

const EMPTY: CubePart = {
  from: 0,
  dayCount: 0,
  sources: [],
  groups: [],
  kinds: [],
  paths: [],
  others: { paths: 0, count: 0 },
}

function populationFunnels(
  report: ReportDocument,
  journey: JourneyPart,
  { funnels }: PopulationPart,
): [owner: string | null, part: FunnelPart][] {
  const own = (funnels ?? journey.funnels).map((part): [string, FunnelPart] => [journey.id, part])
  return funnels === null
    ? [...own, ...report.funnels.map((part): [null, FunnelPart] => [null, part])]
    : own
}

function chosenText({ source, group }: Slice): string {
  const names = [source, group].filter((name) => name !== null)
  return names.length === 0 ? 'Everything chosen' : names.join(', ')
}

function countsOf(cube: CubePart | undefined, slice: Slice): Map<string, number> {
  if (cube === undefined) return new Map()
  return new Map(
    [...sumsOf(cube, slice)].map(([path, kinds]) => [path, kinds.get(COUNT) ?? kinds.get('') ?? 0]),
  )
}
