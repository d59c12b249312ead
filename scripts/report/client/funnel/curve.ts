/**
 * A small curve over age, level from one point to the next. Ages are on a logarithmic scale, shares
 * from 0 to 100 %. What the curve shows is also a sentence below it.
 */

import { scaleLinear, scaleLog } from 'd3-scale'
import { curveStepAfter, line } from 'd3-shape'
import type { AgePoint } from '../../document.ts'
import { html, svg, type Child } from '../element.ts'
import { duration, percent } from '../format.ts'

const WIDTH = 300
const HEIGHT = 96
const TOP = 6
const SECOND = 1_000

/** `from` is the share at the age of nothing. */
export function curve(title: Child, points: AgePoint[], from: 0 | 1, text: string): HTMLElement {
  const ages = points.map(([age]) => Math.max(SECOND, age))
  const [first = SECOND, last = SECOND] = [ages[0], ages.at(-1)]
  const x = scaleLog([first, Math.max(last, first * 2)], [0, WIDTH])
  const y = scaleLinear([0, 1], [HEIGHT, TOP])
  const path = line<AgePoint>()
    .x(([age]) => x(Math.max(SECOND, age)))
    .y(([, share]) => y(share))
    .curve(curveStepAfter)
  const level = (share: number) =>
    svg('line', { class: 'gridline', x1: 0, x2: WIDTH, y1: y(share), y2: y(share) })
  return html(
    'figure',
    { class: 'curve' },
    html('figcaption', {}, title),
    svg(
      'svg',
      { viewBox: `-4 0 ${WIDTH + 8} ${HEIGHT + 2}`, role: 'img', 'aria-label': text },
      ...[0, 0.5, 1].map(level),
      svg('path', {
        class: 'line',
        d:
          path([[first, from], ...points, [x.domain()[1] ?? last, points.at(-1)?.[1] ?? from]]) ??
          '',
      }),
      svg('text', { x: 0, y: y(0.5) - 3 }, '50 %'),
    ),
    html(
      'div',
      { class: 'multiple-axis', 'aria-hidden': 'true' },
      html('span', {}, duration(first)),
      html('span', {}, duration(last)),
    ),
    html('p', { class: 'curve-text' }, text),
  )
}

/** Returns how a share of all had converted by a few ages. */
export function conversionText(points: AgePoint[]): string {
  const [lastAge, most] = points.at(-1) ?? [0, 0]
  const half = points.find(([, share]) => share >= most / 2)
  if (half === undefined || most === 0) return 'None has converted.'
  const end = `${percent(most)} by ${duration(lastAge)}`
  return half[0] === lastAge
    ? `${end} have converted.`
    : `${percent(half[1])} have converted by ${duration(half[0])}, ${end}.`
}

/** Returns how many are still inside after a few ages. */
export function survivalText(points: AgePoint[]): string {
  const at = [0.75, 0.5, 0.25].flatMap((share) => {
    const point = points.find(([, inside]) => inside <= share)
    return point === undefined ? [] : [point]
  })
  const [last] = points.slice(-1)
  const shown = [...new Set([...at, ...(last === undefined ? [] : [last])])]
  const words = shown.map(([age, share]) => `${percent(share)} after ${duration(age)}`)
  return words.length === 0 ? 'No stay has ended.' : `Still inside: ${words.join(', ')}.`
}
