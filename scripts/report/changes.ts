/**
 * Compares the last seven decided days with the seven before, as they are known now, and how
 * the seven before have been restated since they had just been decided.
 */

import { cubeName, thenName } from './cube/cube-names.ts'
import { COUNT, EVERYTHING, sumsOf, type CubePart, type Slice } from './cube/cube.ts'
import type { FunnelPart, JourneyPart, MaturedPart, ReportDocument, TrackPart } from './document.ts'
import { sliceFunnel } from './cube/slice-funnel.ts'
import { windowsOf, type Days, type Windows } from './windows.ts'

/** A number of both windows. `asKnown` is that of the days before, as known then. */
export type CountChange = { name: string; recent: number; before: number; asKnown: number }
export type RateChange = {
  name: string
  recent: MaturedPart
  before: MaturedPart
  asKnown: MaturedPart
}
export type Changes = {
  /** For cycles and states, which need no window to be decided. */
  windows: Windows
  /** The first day on which anybody moved. */
  firstDay: number
  funnels: {
    name: string
    windows: Windows
    firstDay: number
    steps: RateChange[]
    sources: RateChange[]
  }[]
  cycles: CountChange[]
  states: CountChange[]
}

/** Returns the changes of a track and its journey's funnels; null before the first watermark. */
export function changesOf(
  report: ReportDocument,
  journey: JourneyPart,
  track: TrackPart,
): Changes | null {
  if (report.watermark === null) return null
  const windows = windowsOf(report.watermark, null)
  const counts = (name: string, nameOf: (path: string) => string) =>
    countChanges(report, name, windows, nameOf)
  return {
    windows,
    firstDay: report.cubes[cubeName.ways(journey.id, track.name)]?.from ?? 0,
    funnels: [
      ...journey.funnels.flatMap((part) => funnelChanges(report, journey.id, part)),
      ...report.funnels.flatMap((part) => funnelChanges(report, null, part)),
    ],
    cycles: counts(cubeName.cycles(journey.id, track.name), (path) => path),
    states: counts(cubeName.ways(journey.id, track.name), (path) => path.split(' > ')[2] ?? ''),
  }
}

const within = (days: Days, source: string | null = null): Slice => ({
  ...EVERYTHING,
  ...days,
  source,
})

/** Sums by name, the greatest first. */
function countChanges(
  { cubes }: ReportDocument,
  name: string,
  { recent, before }: Windows,
  nameOf: (path: string) => string,
): CountChange[] {
  const [now, then] = [cubes[name], cubes[thenName(name)]]
  if (now === undefined || then === undefined) return []
  const [a, b, c] = [
    totals(now, recent, nameOf),
    totals(now, before, nameOf),
    totals(then, before, nameOf),
  ]
  const names = [...new Set([...a.keys(), ...b.keys(), ...c.keys()])]
  return names
    .map((one) => ({
      name: one,
      recent: a.get(one) ?? 0,
      before: b.get(one) ?? 0,
      asKnown: c.get(one) ?? 0,
    }))
    .sort((x, y) => y.recent + y.before - x.recent - x.before)
}

function totals(cube: CubePart, days: Days, nameOf: (path: string) => string): Map<string, number> {
  const sums = new Map<string, number>()
  for (const [path, kinds] of sumsOf(cube, within(days))) {
    const count = kinds.get(COUNT) ?? kinds.get('') ?? 0
    sums.set(nameOf(path), (sums.get(nameOf(path)) ?? 0) + count)
  }
  return sums
}

/** None without a window, whose entries are never decided. */
function funnelChanges(
  { cubes, watermark }: ReportDocument,
  journey: string | null,
  part: FunnelPart,
): Changes['funnels'] {
  const name = cubeName.funnel(journey, part.name)
  const now = cubes[name]
  if (now === undefined || watermark === null || part.withinMs === null) return []
  const then = cubes[thenName(name)] ?? { ...now, paths: [] }
  const windows = windowsOf(watermark, part.withinMs)
  const sides = (source: string | null) => ({
    recent: sliceFunnel(part, now, within(windows.recent, source)),
    before: sliceFunnel(part, now, within(windows.before, source)),
    asKnown: sliceFunnel(part, then, within(windows.before, source)),
  })
  const all = sides(null)
  const whole = (title: string, from: ReturnType<typeof sides>): RateChange => ({
    name: title,
    recent: known(from.recent.matured),
    before: known(from.before.matured),
    asKnown: known(from.asKnown.matured),
  })
  const steps = part.steps.slice(1).map(({ step }, i) => ({
    name: `to ${step}`,
    recent: known(all.recent.steps[i + 1]?.matured),
    before: known(all.before.steps[i + 1]?.matured),
    asKnown: known(all.asKnown.steps[i + 1]?.matured),
  }))
  const sources = now.sources.length < 2 ? [] : now.sources
  return [
    {
      name: part.name,
      windows,
      firstDay: now.from,
      steps: [...steps, whole('Whole funnel', all)],
      sources: sources.map((source) => whole(source, sides(source))),
    },
  ]
}

const known = (matured: MaturedPart | null | undefined): MaturedPart =>
  matured ?? { count: 0, converted: 0, rate: null, low: null, high: null }
