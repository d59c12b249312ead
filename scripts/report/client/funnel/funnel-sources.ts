/** A funnel by source: of the entry, of a person's first session, and of the last one. */

import type { FunnelPart, FunnelSource } from '../../document.ts'
import { html, type Child } from '../element.ts'
import { count, percent } from '../format.ts'
import { table } from '../table.ts'

type Sources = { name: string } & { [touch in FunnelSource['touch']]: FunnelSource | null }

/** Returns nothing where there is but one source. */
export function funnelSources({ name, bySource, matured }: FunnelPart): Child {
  const names = [...new Set(bySource.map(({ source }) => source))]
  if (names.length < 2) return null
  const rows = names.map((source): Sources => {
    const touched = (touch: FunnelSource['touch']) =>
      bySource.find((one) => one.touch === touch && one.source === source) ?? null
    const name = source ?? 'unknown'
    return { name, entry: touched('entry'), first: touched('first'), last: touched('last') }
  })
  const most = Math.max(1, ...rows.map(({ entry }) => entry?.entered ?? 0))
  const rate = (title: string, touch: FunnelSource['touch']) => ({
    title,
    cell: (row: Sources) => rateText(row[touch]),
    isNumber: true,
  })
  const sources = table<Sources>(
    `${name} by source`,
    [
      { title: 'Source', cell: (row) => row.name },
      {
        title: 'Entered',
        cell: ({ entry }) => count(entry?.entered ?? 0),
        isNumber: true,
        bar: ({ entry }) => (entry?.entered ?? 0) / most,
      },
      { title: 'Converted', cell: ({ entry }) => count(entry?.converted ?? 0), isNumber: true },
      ...(matured === null
        ? []
        : [
            rate('Rate by source of entry', 'entry'),
            rate('By first session', 'first'),
            rate('By last session', 'last'),
          ]),
    ],
    rows,
  )
  return html('div', { class: 'sources' }, html('h4', {}, 'By source, whole period'), sources)
}

/** Returns the rate of the matured. */
function rateText(one: FunnelSource | null): string {
  if (one === null || one.rate === null) return '–'
  return `${percent(one.rate)} of ${count(one.matured ?? 0)}`
}
