/** What the numbers rest on: what came in, what was refused, and what was restated later. */

import type { QualityPart, RefusalPart, TrackPart } from '../document.ts'
import { html, nothing, section, type Child } from './element.ts'
import { count, counted, day, duration, exactly, percent } from './format.ts'
import { nameOf, touchesState, type Selection } from './selection.ts'
import { table } from './table.ts'

const REASONS: { [reason: string]: string } = {
  guard_failed: 'a condition did not hold',
  not_accepted: 'not expected there',
}
const BECAUSE: { [because: string]: string } = {
  late_event: 'an event came late',
  identity: 'people turned out to be one, or two',
  rebuilt: 'it was derived again',
}

export function quality(
  journey: string,
  track: TrackPart,
  part: QualityPart,
  selection: Selection,
): HTMLElement {
  return section(
    'quality',
    'Data quality',
    ['What these numbers rest on: what came in, what was refused, and what was restated since.'],
    totals(part),
    html('h3', {}, 'Events this journey refused'),
    refusals(track, selection),
    errorRate(journey, part),
    html('h3', {}, 'Numbers that changed later, and why'),
    corrections(part),
  )
}

function totals({ read, landed, duplicates, refused, recognitionRate, conflicts }: QualityPart) {
  const refusedCount = refused.reduce((total, { count: times }) => total + times, 0)
  const items: [string, string, string][] = [
    ['Lines read', exactly(read), ''],
    ['Events accepted', exactly(landed), percent(read === 0 ? null : landed / read)],
    ['Duplicates dropped', exactly(duplicates), percent(read === 0 ? null : duplicates / read)],
    [
      'Lines refused, open',
      exactly(refusedCount),
      refused.map(({ name, count: times }) => `${name} ${count(times)}`).join(', '),
    ],
    ['Sessions with a person', percent(recognitionRate), ''],
    ['Identity conflicts', exactly(conflicts), 'links refused to keep two people apart'],
  ]
  return html(
    'dl',
    { class: 'totals' },
    ...items.map(([name, value, text]) =>
      html(
        'div',
        {},
        html('dt', {}, name),
        html('dd', {}, html('strong', {}, value), html('span', {}, text)),
      ),
    ),
  )
}

function refusals({ refusals: all, refusalsLeftOut }: TrackPart, selection: Selection): HTMLElement {
  const shown = all.filter(({ state }) => touchesState(selection, state))
  const most = Math.max(1, ...all.map((refusal) => refusal.count))
  if (shown.length === 0) {
    return nothing(
      selection === null || all.length === 0
        ? 'It took every event it knows.'
        : `None was refused in ${nameOf(selection)}.`,
    )
  }
  return html(
    'div',
    {},
    table<RefusalPart>('Events refused, commonest first', [
      { title: 'Event', cell: ({ event }) => event },
      { title: 'In', cell: ({ state }) => state },
      { title: 'Because', cell: ({ reason }) => REASONS[reason] ?? reason },
      {
        title: 'Times',
        cell: (refusal) => count(refusal.count),
        isNumber: true,
        bar: (refusal) => refusal.count / most,
      },
    ], shown),
    refusalsLeftOut === 0 ? null : nothing(`${refusalsLeftOut} rarer ones are left out.`),
  )
}

/** Share of events refused, worst and latest day: a rise is a release that broke tracking. */
function errorRate(journey: string, { errorRates }: QualityPart): Child {
  const part = errorRates.find((rate) => rate.journey === journey)
  if (part === undefined || part.days.length === 0) return null
  const rates = part.days.map((at, i) => ({
    at,
    rate: (part.rejected[i] ?? 0) / Math.max(1, part.attempted[i] ?? 0),
  }))
  const worst = rates.reduce((a, b) => (b.rate > a.rate ? b : a))
  const last = rates.at(-1) ?? worst
  return html(
    'p',
    { class: 'note' },
    `Refused on ${day(last.at)}: ${percent(last.rate)} of the events it was asked to take. ` +
      `Worst day: ${day(worst.at)}, ${percent(worst.rate)}.`,
  )
}

function corrections({ corrections: all, correctionsLeftOut }: QualityPart): HTMLElement {
  if (all.length === 0) return nothing('Nothing has been restated.')
  return html(
    'div',
    {},
    table('Restated rows, latest day first', [
      { title: 'Day', cell: ({ day: at }) => day(at) },
      { title: 'What', cell: ({ what }) => what },
      { title: 'Because', cell: ({ because }) => BECAUSE[because] ?? because },
      { title: 'Rows', cell: ({ count: times }) => count(times), isNumber: true },
      {
        title: 'Typically late by',
        cell: ({ medianLateMs }) => duration(medianLateMs),
        isNumber: true,
      },
    ], all),
    correctionsLeftOut === 0
      ? null
      : html('p', { class: 'note' }, `${counted(correctionsLeftOut, 'row', 'rows')} left out.`),
  )
}
