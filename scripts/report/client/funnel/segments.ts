/** The parts of a funnel by source and by value of the property, on the chosen days. */

import type { Slice } from '../../cube/cube.ts'
import type { FunnelPart, JourneyPart, ReportDocument } from '../../document.ts'
import { choicesOf } from '../choices.ts'
import { slicedFunnels } from '../sliced.ts'

export type Segments = {
  title: string
  isSource: boolean
  /** Those somebody entered from, the most entered first. */
  rows: { name: string; funnel: FunnelPart }[]
}

/** Returns the segments of each funnel; none by what has one value only. */
export function segmentsOf(
  report: ReportDocument,
  journey: JourneyPart,
  slice: Slice,
): (part: FunnelPart) => Segments[] {
  const { sources, groups } = choicesOf(report)
  const by = (key: 'source' | 'group', names: string[]) =>
    names.map((name) => {
      const own = { ...slice, [key]: name }
      const parts = [
        ...slicedFunnels(report, journey.id, journey.funnels, own),
        ...slicedFunnels(report, null, report.funnels, own),
      ]
      return { name, parts }
    })
  const lists = [
    { title: 'Source', isSource: true, all: sources.length < 2 ? [] : by('source', sources) },
    { title: report.by ?? '', isSource: false, all: groups.length < 2 ? [] : by('group', groups) },
  ]
  return ({ name, stepsAre }) =>
    lists.flatMap(({ title, isSource, all }) => {
      const rows = all.flatMap(({ name: segment, parts }) => {
        const funnel = parts.find((one) => one.name === name && one.stepsAre === stepsAre)
        return funnel === undefined || enteredOf(funnel) === 0 ? [] : [{ name: segment, funnel }]
      })
      rows.sort((a, b) => enteredOf(b.funnel) - enteredOf(a.funnel))
      return rows.length === 0 ? [] : [{ title, isSource, rows }]
    })
}

export const enteredOf = ({ steps }: FunnelPart): number => steps[0]?.reached ?? 0
