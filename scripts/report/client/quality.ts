/** Data quality: input, refusals, and later corrections. */

import type { JourneyPart, RefusalPart, TrackPart } from '../document.ts'
import type { CorrectionPart, DayRate, QualityPart } from '../document-quality.ts'
import { html, nothing, section, type Child } from './element.ts'
import { count, counted, day, exactly, percent } from './format.ts'
import { nameOf, touchesState, type Selection } from './selection.ts'
import { table } from './table.ts'

const REASONS: { [reason: string]: string } = {
  guard_failed: 'a condition did not hold',
  not_accepted: 'not expected there',
}
export function quality(
  journey: JourneyPart,
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
    errorRate(journey),
    html('h3', {}, 'Days that changed after they were over, and why'),
    corrections(journey),
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

function refusals(
  { refusals: all, refusalsLeftOut }: TrackPart,
  selection: Selection,
): HTMLElement {
  const shown = all.filter(({ state }) => touchesState(selection, state))
  const most = Math.max(1, ...all.map((refusal) => refusal.count))
  if (shown.length === 0) {
    return nothing(
      selection === null || all.length === 0
        ? 'It refused none.'
        : `None was refused in ${nameOf(selection)}.`,
    )
  }
  return html(
    'div',
    {},
    table<RefusalPart>(
      'Events refused, commonest first',
      [
        { title: 'Event', cell: ({ event }) => event },
        { title: 'In', cell: ({ state }) => state },
        { title: 'Because', cell: ({ reason }) => REASONS[reason] ?? reason },
        {
          title: 'Times',
          cell: (refusal) => count(refusal.count),
          isNumber: true,
          bar: (refusal) => refusal.count / most,
        },
      ],
      shown,
    ),
    refusalsLeftOut === 0 ? null : nothing(`${refusalsLeftOut} rarer ones are left out.`),
  )
}

/** The latest day beside the worst: a rise is often a release that broke the tracking. */
function errorRate({ errorRate: part }: JourneyPart): Child {
  if (part === null) return null
  const rateText = ({ day: at, rate, rejected, attempted }: DayRate) =>
    `${percent(rate)} on ${day(at)} (${exactly(rejected)} of ${exactly(attempted)})`
  return html(
    'p',
    { class: 'note' },
    `Refused, of the events sent to it: ${rateText(part.latest)}; ` +
      `at worst ${rateText(part.worst)}.`,
  )
}

function corrections({ corrections: all, correctionsLeftOut }: JourneyPart): HTMLElement {
  if (all.length === 0) return nothing('No day has changed after it was over.')
  return html(
    'div',
    {},
    table(
      'Days that changed after they were over, latest day first',
      [
        { title: 'Day', cell: ({ day: at }) => day(at) },
        { title: 'In', cell: ({ view }) => view },
        { title: 'Change', cell: ({ added, removed }) => change(added - removed), isNumber: true },
        { title: 'Added', cell: ({ added }) => count(added), isNumber: true },
        { title: 'Taken back', cell: ({ removed }) => count(removed), isNumber: true },
        { title: 'Why', cell: because },
        { title: 'Last on', cell: ({ recordedAt }) => day(recordedAt) },
      ],
      all,
    ),
    correctionsLeftOut === 0
      ? null
      : html('p', { class: 'note' }, `${counted(correctionsLeftOut, 'row', 'rows')} left out.`),
  )
}

const change = (net: number): string =>
  net === 0 ? 'the same' : `${net > 0 ? '+' : '−'}${count(Math.abs(net))}`

function because({ lateEvents, identity, rebuilt }: CorrectionPart): string {
  const reasons: [string, number][] = [
    ['late events', lateEvents],
    ['people joined or parted', identity],
    ['derived again', rebuilt],
  ]
  const known = reasons.filter(([, times]) => times > 0)
  return known.map(([name, times]) => `${name} ${count(times)}`).join(', ')
}
