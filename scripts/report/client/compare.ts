/**
 * Sources beside one another: a table for each funnel, and two choices step by step, with the
 * difference of their rates and its 95 % interval.
 */

import { EVERYTHING, type Slice } from '../cube/cube.ts'
import { differenceOf } from '../difference.ts'
import type { FunnelPart, JourneyPart, MaturedPart, ReportDocument } from '../document.ts'
import { choicesOf, select } from './controls.ts'
import { html, nothing, section, type Child } from './element.ts'
import { count, exactly, percent, points } from './format.ts'
import { slicedFunnels } from './sliced.ts'
import { table, type Column } from './table.ts'

type Segment = { name: string; funnel: FunnelPart }

export function compare(
  report: ReportDocument,
  journey: JourneyPart,
  slice: Slice,
  beside: Slice | null,
  onBeside: (beside: Slice | null) => void,
): HTMLElement | null {
  const { sources, groups } = choicesOf(report)
  const groupTitle = report.by ?? ''
  if (sources.length + groups.length < 2 || journey.funnels.length + report.funnels.length === 0)
    return null
  const segments: [name: string, part: Partial<Slice>][] = [
    ...sources.map((source): [string, Partial<Slice>] => [source, { source, group: null }]),
    ...groups.map((group): [string, Partial<Slice>] => [group, { group, source: null }]),
  ]
  const funnelsIn = (chosen: Slice) => [
    ...slicedFunnels(report, journey.id, journey.funnels, chosen),
    ...slicedFunnels(report, null, report.funnels, chosen),
  ]
  const inSegments = (names: string[], partOf: (name: string) => Partial<Slice>, i: number) =>
    names.map((name) => ({
      name,
      funnel: funnelsIn({ ...slice, ...partOf(name) })[i] as FunnelPart,
    }))
  const chosen = segments.find(
    ([, { source = null, group = null }]) =>
      beside !== null && beside.source === source && beside.group === group,
  )
  const choice = select(
    'Beside',
    'Nothing',
    segments.map(([name]) => name),
    chosen?.[0] ?? null,
    (name) => {
      const part = segments.find(([known]) => known === name)?.[1]
      onBeside(part === undefined ? null : { ...EVERYTHING, ...part })
    },
  )
  const first = slice.source ?? slice.group ?? 'Everything chosen'
  return section(
    'compare',
    'Side by side',
    ['Sources by their conversion on the chosen days, and two choices step by step.'],
    ...funnelsIn(slice).flatMap(({ name }, i) => [
      html('h3', {}, name),
      bySegment(
        'Source',
        name,
        inSegments(sources, (source) => ({ source }), i),
      ),
      groups.length === 0
        ? null
        : bySegment(
            groupTitle,
            name,
            inSegments(groups, (group) => ({ group }), i),
          ),
    ]),
    html('div', { class: 'controls' }, choice),
    chosen === undefined
      ? null
      : pairs(
          { name: first, funnels: funnelsIn(slice) },
          { name: chosen[0], funnels: funnelsIn({ ...slice, ...chosen[1] }) },
        ),
  )
}

function bySegment(title: string, name: string, segments: Segment[]): HTMLElement {
  const entered = ({ funnel }: Segment) => funnel.steps[0]?.reached ?? 0
  const rows = segments.filter((one) => entered(one) > 0).sort((a, b) => entered(b) - entered(a))
  if (rows.length === 0) return nothing(`Nobody entered ${name}.`)
  const columns: Column<Segment>[] = [
    { title, cell: (one) => one.name },
    { title: 'Entered', cell: (one) => count(entered(one)), isNumber: true },
    {
      title: 'Matured',
      cell: ({ funnel }) => count(funnel.matured?.count ?? null),
      isNumber: true,
    },
    {
      title: 'Conversion',
      cell: ({ funnel }) => percent(funnel.matured?.rate ?? null),
      isNumber: true,
      bar: ({ funnel }) => funnel.matured?.rate ?? 0,
    },
    { title: '95 % interval', cell: ({ funnel }) => interval(funnel.matured), isNumber: true },
  ]
  return table(`${name} by ${title.toLowerCase()}`, columns, rows)
}

function interval(matured: MaturedPart | null): string {
  if (matured === null || matured.rate === null) return '–'
  return `${percent(matured.low)} to ${percent(matured.high)}`
}

type Side = { name: string; funnels: FunnelPart[] }
type Pair = { step: string; first: MaturedPart | null; second: MaturedPart | null }

function pairs(first: Side, second: Side): HTMLElement {
  const rate = (matured: MaturedPart | null) =>
    matured === null || matured.rate === null
      ? '–'
      : `${percent(matured.rate)} of ${exactly(matured.count)}`
  return html(
    'div',
    {},
    ...first.funnels.flatMap((funnel, i): Child[] => {
      const other = second.funnels[i] as FunnelPart
      const steps = funnel.steps.slice(1).map(({ step, matured }, k): Pair => ({
        step: `to ${step}`,
        first: matured,
        second: other.steps[k + 1]?.matured ?? null,
      }))
      const whole: Pair = { step: 'Whole funnel', first: funnel.matured, second: other.matured }
      const columns: Column<Pair>[] = [
        { title: 'Step', cell: ({ step }) => step },
        { title: first.name, cell: (pair) => rate(pair.first), isNumber: true },
        { title: second.name, cell: (pair) => rate(pair.second), isNumber: true },
        { title: 'Difference', cell: difference, isNumber: true },
      ]
      const title = `${funnel.name}: ${first.name} beside ${second.name}`
      return [html('h3', {}, title), table(title, columns, [...steps, whole])]
    }),
  )
}

/** The second rate less the first, in points. */
function difference({ first, second }: Pair): string {
  const found = differenceOf(first, second)
  if (found === null) return '–'
  return `${points(found.change)} (${points(found.low)} to ${points(found.high)})`
}
