/** The choice of days and source, and what the choice covers. */

import { DAY_MS, EVERYTHING, isEverything, type CubePart, type Slice } from '../cube/cube.ts'
import type { ReportDocument } from '../document.ts'
import { html, type Child } from './element.ts'
import { choicesOf, type Choices } from './choices.ts'
import { counted, day, percent } from './format.ts'
import { dateOf, dayOf } from './view.ts'

/** A form that calls `onSlice` as soon as something is chosen; null without any event. */
export function controls(
  report: ReportDocument,
  slice: Slice,
  onSlice: (slice: Slice) => void,
): Child {
  const choices = choicesOf(report)
  if (!Number.isFinite(choices.first)) return null
  const { first, last, sources, groups } = choices
  const choose = (part: Partial<Slice>) => onSlice({ ...slice, ...part })
  const isAll = (from: number, to: number) => from <= first && to >= last
  const range = (from: number, to: number) =>
    choose(isAll(from, to) ? { from: null, to: null } : { from, to })
  return html(
    'form',
    {
      class: 'controls',
      'aria-label': 'Days, source and value',
      submit: (event) => event.preventDefault(),
    },
    dayInput('From', slice.from ?? first, choices, (from) =>
      range(from, Math.max(from, slice.to ?? last)),
    ),
    dayInput('To', slice.to ?? last, choices, (to) => range(Math.min(to, slice.from ?? first), to)),
    html(
      'div',
      { class: 'presets', role: 'group', 'aria-label': 'Common ranges' },
      ...[7, 28].map((days) =>
        html(
          'button',
          { type: 'button', click: () => range(Math.max(first, last - (days - 1) * DAY_MS), last) },
          `Last ${days} days`,
        ),
      ),
    ),
    sources.length < 2
      ? null
      : select('Source', 'All sources', sources, slice.source, (source) => choose({ source })),
    groups.length < 2
      ? null
      : select(report.by ?? '', 'All values', groups, slice.group, (group) => choose({ group })),
    isEverything(slice)
      ? null
      : html('button', { type: 'button', click: () => onSlice(EVERYTHING) }, 'Show everything'),
  )
}

function dayInput(
  label: string,
  value: number,
  { first, last }: Choices,
  onDay: (day: number) => void,
): HTMLElement {
  const input = html('input', {
    type: 'date',
    name: label.toLowerCase(),
    value: dateOf(value),
    min: dateOf(first),
    max: dateOf(last),
  })
  input.addEventListener('change', () => {
    const chosen = dayOf(input.value)
    if (chosen !== null) onDay(Math.min(last, Math.max(first, chosen)))
  })
  return html('label', {}, html('span', {}, label), input)
}

/** A list of values below the choice of all. */
export function select(
  label: string,
  all: string,
  values: string[],
  chosen: string | null,
  onChoose: (value: string | null) => void,
): HTMLElement {
  const option = (name: string, i: number) =>
    html('option', { value: i, selected: (i < 0 ? null : name) === chosen }, name)
  const list = html('select', { name: label.toLowerCase() }, option(all, -1), ...values.map(option))
  list.addEventListener('change', () => onChoose(values[Number(list.value)] ?? null))
  return html('label', {}, html('span', {}, label), list)
}

/** A sentence about what a choice covers. `error` is the relative error of times. */
export function sliceText(slice: Slice, cubes: CubePart[], error: number): string {
  const days =
    slice.from === null || slice.to === null
      ? 'all days'
      : slice.from === slice.to
        ? day(slice.from)
        : `${day(slice.from)} to ${day(slice.to)}`
  const of = [slice.source, slice.group].filter((name) => name !== null).join(', ')
  const others = cubes.reduce((total, cube) => total + cube.others.count, 0)
  const left =
    others === 0
      ? ''
      : ` ${counted(others, 'time', 'times')} on rarer paths of the whole period are left out.`
  return (
    `${days[0]?.toUpperCase()}${days.slice(1)}${of === '' ? '' : `, ${of}`}: moves, entries, ` +
    `cycles, paths and funnels are recomputed, and times to within ${percent(error)}.${left}`
  )
}
