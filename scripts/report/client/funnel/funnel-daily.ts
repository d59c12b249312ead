/** A funnel by day of entry: a bar a day, by what became of the units in the end. */

import { scaleBand, scaleLinear } from 'd3-scale'
import type { FunnelDay, FunnelPart } from '../../document.ts'
import { html, svg, type Child } from '../element.ts'
import { count, counted, day, exactly, percent, shortDay } from '../format.ts'
import { folded } from '../table.ts'

const WIDTH = 300
const HEIGHT = 72
const KINDS = ['converted', 'pending', 'dropped'] as const

const enteredOf = ({ converted, pending, dropped }: FunnelDay) => converted + pending + dropped

/** Returns nothing for a funnel of one day: it has no course. */
export function funnelDaily({ name, countBy, daily }: FunnelPart): Child {
  const [first, last] = [daily[0], daily.at(-1)]
  if (first === undefined || last === undefined || daily.length < 2) return null
  const most = Math.max(...daily.map(enteredOf))
  const days = dayRange(first.day, last.day)
  const x = scaleBand(days, [0, WIDTH]).padding(days.length > WIDTH / 4 ? 0 : 0.2)
  const y = scaleLinear([0, most], [0, HEIGHT])
  const bars = daily.flatMap((one) => {
    let base = 0
    return KINDS.map((kind) => {
      const height = y(one[kind])
      base += height
      return svg('rect', {
        class: `is-${kind}`,
        x: x(one.day) ?? 0,
        y: HEIGHT - base,
        width: x.bandwidth(),
        height,
      })
    })
  })
  const text =
    `Entries by day, ${day(first.day)} to ${day(last.day)}: ` +
    `at most ${count(most)}, ${count(enteredOf(last))} on the last day`
  return html(
    'figure',
    { class: 'curve' },
    html('figcaption', {}, `Entries by day, ${countBy}`),
    svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': text }, ...bars),
    html(
      'div',
      { class: 'multiple-axis', 'aria-hidden': 'true' },
      html('span', {}, shortDay(first.day)),
      html('span', {}, `most ${count(most)}`),
      html('span', {}, shortDay(last.day)),
    ),
    folded(`${name} by day, ${counted(daily.length, 'day', 'days')}`, TITLES, 1, () =>
      daily.toReversed().map(rowOf),
    ),
  )
}

const TITLES = ['Day', 'Entered', 'Converted', 'Pending', 'Dropped out', 'Matured', 'Rate']

const rowOf = (one: FunnelDay): string[] => [
  day(one.day),
  exactly(enteredOf(one)),
  exactly(one.converted),
  exactly(one.pending),
  exactly(one.dropped),
  one.matured === null ? '–' : exactly(one.matured),
  percent(one.rate),
]

const DAY_MS = 86_400_000

/** A day on which nobody entered has no row, and its place stays empty. */
function dayRange(from: number, to: number): number[] {
  return Array.from({ length: Math.round((to - from) / DAY_MS) + 1 }, (_, i) => from + i * DAY_MS)
}
