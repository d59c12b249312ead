/**
 * A funnel by source and by value: the conversion of each on the chosen days. A source can also be
 * that of a person's first session, or of the last one, which are known for the whole period alone.
 */

import { UNKNOWN } from '../../cube/cube.ts'
import type { FunnelPart, FunnelSource, MaturedPart } from '../../document.ts'
import { html, type Child } from '../element.ts'
import { count, percent } from '../format.ts'
import { table, type Column } from '../table.ts'
import { enteredOf, type Segments } from './segments.ts'

type Row = Segments['rows'][number]

/** Returns a table for each way to part the funnel. */
export function funnelSources(part: FunnelPart, all: Segments[]): Child[] {
  return all.map((segments) =>
    html(
      'div',
      { class: 'sources' },
      html('h4', {}, `By ${segments.isSource ? 'source' : segments.title}`),
      segmentTable(part, segments),
    ),
  )
}

function segmentTable({ name, bySource, matured }: FunnelPart, segments: Segments): HTMLElement {
  const { title, isSource, rows } = segments
  const most = Math.max(1, ...rows.map(({ funnel }) => enteredOf(funnel)))
  const touch = (column: string, kind: FunnelSource['touch']): Column<Row> => ({
    title: column,
    cell: (row) => {
      const known = bySource.find(
        (one) => one.touch === kind && (one.source ?? UNKNOWN) === row.name,
      )
      return known === undefined || known.rate === null
        ? '–'
        : `${percent(known.rate)} of ${count(known.matured)}`
    },
    isNumber: true,
  })
  const columns: Column<Row>[] = [
    { title, cell: (row) => row.name },
    {
      title: 'Entered',
      cell: ({ funnel }) => count(enteredOf(funnel)),
      isNumber: true,
      bar: ({ funnel }) => enteredOf(funnel) / most,
    },
    {
      title: 'Converted',
      cell: ({ funnel }) => count(funnel.steps[0]?.converted ?? 0),
      isNumber: true,
    },
  ]
  const rates: Column<Row>[] = [
    {
      title: 'Conversion',
      cell: ({ funnel }) => rateText(funnel.matured),
      isNumber: true,
      bar: ({ funnel }) => funnel.matured?.rate ?? 0,
    },
    { title: '95 % interval', cell: ({ funnel }) => interval(funnel.matured), isNumber: true },
    ...(isSource
      ? [
          touch('By first session, whole period', 'first'),
          touch('By last session, whole period', 'last'),
        ]
      : []),
  ]
  const shown = matured === null ? columns : [...columns, ...rates]
  return table(`${name} by ${isSource ? 'source' : title}`, shown, rows)
}

const rateText = (matured: MaturedPart | null): string =>
  matured === null || matured.rate === null
    ? '–'
    : `${percent(matured.rate)} of ${count(matured.count)}`

function interval(matured: MaturedPart | null): string {
  if (matured === null || matured.rate === null) return '–'
  return `${percent(matured.low)} to ${percent(matured.high)}`
}
