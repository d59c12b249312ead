/** Two weeks beside one another, what people did apart from what was restated. */

import { changesOf, type Changes, type CountChange, type RateChange } from '../../changes.ts'
import { changesSql } from '../../changes-sql.ts'
import { differenceOf } from '../../difference.ts'
import type { JourneyPart, MaturedPart, ReportDocument, TrackPart } from '../../document.ts'
import type { Windows } from '../../windows.ts'
import type { BlockRows } from '../block-rows.ts'
import { html, nothing, section, type Child } from '../element.ts'
import { withExports } from '../exports.ts'
import { count, exactly, percent, points, shortDay, signed } from '../format.ts'
import { table, type Column } from '../table.ts'

export function changes(
  report: ReportDocument,
  journey: JourneyPart,
  track: TrackPart,
): HTMLElement {
  const found = changesOf(report, journey, track)
  const isEmpty =
    found === null || found.funnels.length + found.cycles.length + found.states.length === 0
  const element = section(
    'changes',
    'What changed',
    [
      'The last 7 days that are decided, against the 7 before. “People” is how their numbers differ ' +
        'as both are known now; “restated” is how the 7 before have changed since they had just ' +
        'been decided.',
    ],
    ...(isEmpty ? [nothing('No day is over yet.')] : blocks(found)),
  )
  if (isEmpty) return element
  return withExports(element, {
    name: 'changes',
    sql: changesSql(journey.id, track.name, found),
    rowsOf: () => changeRows(found),
  })
}

/** Counts of both weeks, and of how many they are; the last two as they were known then. */
function changeRows({ funnels, cycles, states }: Changes): BlockRows {
  const ofRate = (funnel: string) => (one: RateChange) => [
    funnel,
    one.name,
    ...[one.recent, one.before, one.asKnown].flatMap(({ converted, count: all }) => [
      converted,
      all,
    ]),
  ]
  const ofCount = (kind: string) => (one: CountChange) => [
    kind,
    one.name,
    ...[one.recent, one.before, one.asKnown].flatMap((value) => [value, null]),
  ]
  return {
    titles: 'of name recent recent_of before before_of before_as_known before_as_known_of'.split(
      ' ',
    ),
    rows: [
      ...funnels.flatMap(({ name, steps, sources }) => [...steps, ...sources].map(ofRate(name))),
      ...states.map(ofCount('entered')),
      ...cycles.map(ofCount('cycle')),
    ],
  }
}

function blocks({ windows, firstDay, funnels, cycles, states }: Changes): Child[] {
  return [
    ...funnels.flatMap((one): Child[] => [
      html('h3', {}, `Funnel ${one.name}`, days(one.windows, one.firstDay)),
      rates(`Steps of ${one.name}`, 'Step', one.steps),
      one.sources.length === 0 ? null : rates(`Sources of ${one.name}`, 'Source', one.sources),
    ]),
    ...counts('States entered', 'State', states, days(windows, firstDay)),
    ...counts('Cycles completed', 'Cycle', cycles, days(windows, firstDay)),
  ]
}

/** The days of both weeks, and the first day with events if the week before is not whole. */
function days({ recent, before }: Windows, firstDay: number): HTMLElement {
  const span = ({ from, to }: Windows['recent']) => `${shortDay(from)} to ${shortDay(to)}`
  const short = firstDay > before.from ? `; the first events are of ${shortDay(firstDay)}` : ''
  return html('span', { class: 'aside' }, `${span(recent)}, against ${span(before)}${short}`)
}

function rates(caption: string, title: string, rows: RateChange[]): HTMLElement {
  const rate = (matured: MaturedPart) =>
    matured.rate === null ? '–' : `${percent(matured.rate)} of ${exactly(matured.count)}`
  const columns: Column<RateChange>[] = [
    { title, cell: ({ name }) => name },
    { title: 'Last 7 days', cell: ({ recent }) => rate(recent), isNumber: true },
    { title: '7 before', cell: ({ before }) => rate(before), isNumber: true },
    {
      title: 'People, points',
      cell: ({ before, recent }) => pointsText(before, recent),
      isNumber: true,
    },
    {
      title: 'Restated, points',
      cell: ({ asKnown, before }) => {
        const restated = differenceOf(asKnown, before)
        return restated === null ? '–' : points(restated.change)
      },
      isNumber: true,
    },
  ]
  return table(caption, columns, rows)
}

/** The change, and a mark if its interval does not reach zero. */
function pointsText(before: MaturedPart, recent: MaturedPart): Child {
  const change = differenceOf(before, recent)
  if (change === null) return '–'
  const text = `${points(change.change)} (${points(change.low)} to ${points(change.high)})`
  const isSure = change.low > 0 || change.high < 0
  return isSure ? html('strong', {}, text) : text
}

function counts(title: string, kind: string, rows: CountChange[], aside: HTMLElement): Child[] {
  if (rows.length === 0) return []
  const columns: Column<CountChange>[] = [
    { title: kind, cell: ({ name }) => name.replaceAll(' > ', ' → ') },
    { title: 'Last 7 days', cell: ({ recent }) => count(recent), isNumber: true },
    { title: '7 before', cell: ({ before }) => count(before), isNumber: true },
    { title: 'People', cell: ({ recent, before }) => signed(recent - before), isNumber: true },
    { title: 'Restated', cell: ({ before, asKnown }) => signed(before - asKnown), isNumber: true },
  ]
  return [html('h3', {}, title, aside.cloneNode(true)), table(title, columns, rows)]
}
