/**
 * Time in state: half have left by the dot, nine in ten by the end of the line. The axis is
 * logarithmic, because minutes and weeks stand side by side.
 */

import { scaleLog } from 'd3-scale'
import type { DurationPart, TrackPart } from '../document.ts'
import { curve, survivalText } from './funnel/curve.ts'
import { html, nothing, section, type Child } from './element.ts'
import { count, counted, day, duration, exactly, percent } from './format.ts'
import { nameOf, touchesState, type Selection } from './selection.ts'
import { facts, tip } from './tooltip.ts'

const MARKS: [ms: number, text: string][] = [
  [1_000, '1 s'],
  [10_000, '10 s'],
  [60_000, '1 m'],
  [600_000, '10 m'],
  [3_600_000, '1 h'],
  [21_600_000, '6 h'],
  [86_400_000, '1 d'],
  [604_800_000, '1 w'],
  [2_592_000_000, '30 d'],
  [31_536_000_000, '1 y'],
  [315_360_000_000, '10 y'],
]

/** More marks than a narrow screen has room for. */
const DENSE_FROM = 6
const SECOND = 1_000
const DAY = 86_400_000

type Scale = (ms: number) => number
type Axis = { x: Scale; marks: [ms: number, text: string][] }
type Visit = DurationPart['visits'][number]

export function durations(track: TrackPart, selection: Selection): HTMLElement {
  const shown = track.durations.filter(({ state }) => touchesState(selection, state))
  return section(
    'durations',
    'Time in state',
    [
      'Half have left a state by the dot, nine in ten by the end of the line; the scale is ' +
        'logarithmic. Open stays count as long as they have lasted: where too many are still ' +
        'inside, the age is not reached. People who stay longer than nine in ten are stuck.',
    ],
    shown.length === 0
      ? nothing(
          selection === null || track.durations.length === 0
            ? 'No stay has ended yet.'
            : `No stay in ${nameOf(selection)} has ended, and none is open.`,
        )
      : chart(shown, scaleOf(track.durations)),
    survivals(shown),
  )
}

/** Returns which stays a choice covers, and the error of their ages. */
export function scopeText({ durations: all }: TrackPart): string {
  const error = Math.max(0, ...all.map((one) => one.error))
  return `of stays that began then, to within ${percent(error)}`
}

/** Curves of the share still inside, from which the ages above are read. */
function survivals(shown: DurationPart[]): Child {
  const known = shown.filter(({ survival }) => survival.length > 1)
  if (known.length === 0) return null
  const curves = known.map(({ state, survival }) =>
    curve(html('strong', {}, state), survival, 1, survivalText(survival)),
  )
  return html(
    'div',
    {},
    html('h3', {}, 'Share still inside, by age'),
    html('div', { class: 'multiples' }, ...curves),
  )
}

/** The same for all selections, so that lines can be compared. */
function scaleOf(all: DurationPart[]): Axis {
  const values = all.flatMap(({ visits }) =>
    visits.flatMap(({ medianMs, p90Ms }) => [medianMs, p90Ms]),
  )
  const known = values.filter((value) => value !== null).map((value) => Math.max(SECOND, value))
  const least = Math.min(DAY, ...known)
  const most = Math.max(known.length === 0 ? DAY : 1, ...known)
  const from = Math.max(
    0,
    MARKS.findLastIndex(([ms]) => ms <= least),
  )
  const above = MARKS.findIndex(([ms]) => ms >= most)
  const to = Math.max(from + 1, above === -1 ? MARKS.length - 1 : above)
  const marks = MARKS.slice(from, to + 1)
  const domain = [marks[0]?.[0] ?? SECOND, marks.at(-1)?.[0] ?? DAY]
  return { x: scaleLog(domain, [0, 100]).clamp(true), marks }
}

function chart(shown: DurationPart[], axis: Axis): HTMLElement {
  const scale = html(
    'div',
    { class: axis.marks.length > DENSE_FROM ? 'duration-axis is-dense' : 'duration-axis' },
    ...axis.marks.map(([ms, text]) => html('span', { style: `left:${axis.x(ms)}%` }, text)),
  )
  return html(
    'div',
    { class: 'durations' },
    html('ul', {}, ...shown.flatMap((part) => rows(part, axis))),
    html('div', { class: 'duration-foot' }, scale),
  )
}

/** The state, its first visit beside its name and the later ones below. */
function rows(part: DurationPart, axis: Axis): HTMLElement[] {
  const { state, inside, stuck, since, visits, visitsLeftOut } = part
  const standing = [
    inside === 0 ? null : `${count(inside)} inside`,
    stuck === 0 ? null : html('em', {}, `${count(stuck)} stuck since ${day(since)}`),
  ]
  const later = visits.filter(({ visit }) => visit > 1)
  const more =
    visitsLeftOut === 0
      ? []
      : visitsLeftOut === null
        ? ['later visits left out']
        : [`${counted(visitsLeftOut, 'later visit', 'later visits')} left out`]
  const first = visits.find(({ visit }) => visit === 1)
  return [
    row(state, state, first, standing, axis),
    ...later.map((visit) => {
      const name = `${ordinal(visit.visit)} visit`
      return row(name, `${state}, ${name}`, visit, visit === later.at(-1) ? more : [], axis)
    }),
  ]
}

function row(
  name: string,
  title: string,
  visit: Visit | undefined,
  standing: Child[],
  { x, marks }: Axis,
): HTMLElement {
  const { medianMs = null, p90Ms = null, completed = 0 } = visit ?? {}
  const item = html(
    'li',
    { class: name === title ? '' : 'is-again' },
    html('span', { class: 'duration-name' }, name),
    html(
      'span',
      { class: 'duration-plot' },
      ...marks.map(([ms]) => html('span', { class: 'gridline', style: `left:${x(ms)}%` })),
      ...line(medianMs, p90Ms, x),
    ),
    html('span', { class: 'duration-text' }, spanText(completed, medianMs, p90Ms)),
    html('span', { class: 'duration-inside' }, ...standing),
  )
  tip(item, () =>
    facts(title, [
      ['Half leave within', reached(medianMs)],
      ['Nine in ten within', reached(p90Ms)],
      ['Stays that ended', exactly(completed)],
    ]),
  )
  return item
}

const reached = (ms: number | null): string => (ms === null ? 'not reached' : duration(ms))

function spanText(completed: number, medianMs: number | null, p90Ms: number | null): string {
  if (completed === 0) return 'no stay has ended'
  if (medianMs === null) return 'half not reached'
  return `${duration(medianMs)}, ${p90Ms === null ? 'nine in ten not reached' : `up to ${duration(p90Ms)}`}`
}

function line(medianMs: number | null, p90Ms: number | null, x: Scale): Child[] {
  if (medianMs === null) return []
  const from = x(Math.max(SECOND, medianMs))
  const to = x(Math.max(SECOND, p90Ms ?? medianMs))
  return [
    html('span', { class: 'range', style: `left:${from}%;width:${Math.max(0, to - from)}%` }),
    html('span', { class: 'dot', style: `left:${from}%` }),
  ]
}

function ordinal(n: number): string {
  const isTeen = n % 100 > 10 && n % 100 < 14
  return `${n}${isTeen ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th')}`
}
