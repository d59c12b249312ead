/**
 * How many stood in each state at the end of each day: one small chart a state, all over the same
 * days. Each has its own height, because the last state of a journey would flatten the others.
 */

import { scaleLinear, scaleUtc } from 'd3-scale'
import { area, line } from 'd3-shape'
import type { StandingPart, TrackPart } from '../document.ts'
import { html, nothing, section, svg } from './element.ts'
import { count, day, exactly, shortDay } from './format.ts'
import { nameOf, touchesState, type Selection } from './selection.ts'
import { folded } from './table.ts'

const WIDTH = 300
const HEIGHT = 84
const TOP = 6

type Series = StandingPart['series'][number]

export function standing(track: TrackPart, selection: Selection): HTMLElement {
  const { days, series, daysLeftOut } = track.standing
  const touched = series.filter(({ state }) => touchesState(selection, state))
  const shown = touched.filter(({ counts }) => counts.some((value) => value > 0))
  const empty = touched.filter((one) => !shown.includes(one)).map(({ state }) => state)
  const charts = shown.map((one) => new Chart(one, days))
  const point = (index: number | null) => charts.forEach((chart) => chart.point(index))
  for (const chart of charts) chart.onPoint(point)
  return section(
    'standing',
    'Who stands where',
    ['How many were in each state at the end of each day. Every chart has a height of its own.'],
    days.length === 0 || shown.length === 0
      ? nothing(
          selection === null || series.length === 0
            ? 'No day has ended yet.'
            : `Nobody stood in ${nameOf(selection)} at the end of a day.`,
        )
      : html('div', { class: 'multiples' }, ...charts.map(({ element }) => element)),
    shown.length === 0 || empty.length === 0
      ? null
      : html('p', { class: 'note' }, `At no day's end was anybody in ${empty.join(', ')}.`),
    daysLeftOut === 0
      ? null
      : html('p', { class: 'note' }, `The ${exactly(daysLeftOut)} days before that are left out.`),
    days.length === 0 ? null : numbers(track.standing, shown),
  )
}

class Chart {
  readonly element: HTMLElement
  readonly #series: Series
  readonly #days: number[]
  readonly #x: (day: number) => number
  readonly #y: (value: number) => number
  readonly #value = html('span', { class: 'multiple-value' })
  readonly #at = html('span')
  readonly #most: number
  readonly #cursor = svg('g', { class: 'cursor', visibility: 'hidden' })
  readonly #svg: SVGSVGElement

  constructor(series: Series, days: number[]) {
    this.#series = series
    this.#days = days
    const [first = 0, last = 0] = [days[0], days.at(-1)]
    this.#most = Math.max(0, ...series.counts)
    const x = scaleUtc([first, Math.max(last, first + 1)], [0, WIDTH])
    const y = scaleLinear([0, Math.max(1, this.#most)], [HEIGHT, TOP])
    this.#x = (value) => x(value)
    this.#y = (value) => y(value)
    this.#svg = this.#draw()
    this.element = html(
      'figure',
      {},
      html('figcaption', {}, html('strong', {}, series.state), this.#value),
      this.#svg,
      html(
        'div',
        { class: 'multiple-axis', 'aria-hidden': 'true' },
        html('span', {}, shortDay(first)),
        this.#at,
        html('span', {}, shortDay(last)),
      ),
    )
    this.point(null)
  }

  /** Shows a day's number, or the last one's. */
  point(index: number | null): void {
    const i = index ?? this.#days.length - 1
    const [at = 0, value = 0] = [this.#days[i], this.#series.counts[i]]
    this.#value.textContent = exactly(value)
    this.#at.textContent = index === null ? `most ${count(this.#most)}` : day(at)
    this.#cursor.setAttribute('visibility', index === null ? 'hidden' : 'visible')
    this.#cursor.setAttribute('transform', `translate(${this.#x(at)},0)`)
    this.#cursor.querySelector('circle')?.setAttribute('cy', String(this.#y(value)))
  }

  onPoint(point: (index: number | null) => void): void {
    this.#svg.addEventListener('pointermove', (event) => {
      const box = this.#svg.getBoundingClientRect()
      const share = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width))
      const [first = 0, last = 0] = [this.#days[0], this.#days.at(-1)]
      const at = first + share * (last - first)
      point(nearest(this.#days, at))
    })
    this.#svg.addEventListener('pointerleave', () => point(null))
  }

  #draw(): SVGSVGElement {
    const points = this.#days.map((at, i): [number, number] => [
      this.#x(at),
      this.#y(this.#series.counts[i] ?? 0),
    ])
    // A single day has no line: it is drawn as a level.
    if (points.length === 1) points.push([WIDTH, points[0]?.[1] ?? HEIGHT])
    this.#cursor.append(svg('line', { y1: 0, y2: HEIGHT }), svg('circle', { r: 3.5 }))
    const { state, counts } = this.#series
    const last = counts.at(-1) ?? 0
    return svg(
      'svg',
      {
        viewBox: `-4 0 ${WIDTH + 8} ${HEIGHT + 2}`,
        role: 'img',
        'aria-label': `${state}: ${exactly(last)} at the end, most ${exactly(this.#most)}`,
      },
      svg('line', { class: 'gridline', x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT }),
      svg('line', { class: 'gridline', x1: 0, x2: WIDTH, y1: TOP, y2: TOP }),
      svg('path', {
        class: 'area',
        d: area<[number, number]>().y0(HEIGHT)(points) ?? '',
      }),
      svg('path', { class: 'line', d: line<[number, number]>()(points) ?? '' }),
      this.#cursor,
    )
  }
}

/** The index of the day closest to an instant. */
function nearest(days: number[], at: number): number {
  let best = 0
  days.forEach((value, i) => {
    if (Math.abs(value - at) < Math.abs((days[best] ?? 0) - at)) best = i
  })
  return best
}

function numbers({ days }: StandingPart, shown: Series[]): HTMLElement {
  const titles = ['Day', ...shown.map(({ state }) => state)]
  const rowsOf = () =>
    days.map((at, i) => [day(at), ...shown.map(({ counts }) => exactly(counts[i] ?? 0))]).reverse()
  return folded('Every day as a table', titles, 1, rowsOf)
}
