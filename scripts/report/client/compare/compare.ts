/**
 * Two choices side by side: sources, values of a property, versions of the journey, or cohorts. Rates
 * of funnels and shares of moves have the 95 % interval of their difference.
 */

import { blockSql } from '../../block-sql.ts'
import type { Slice } from '../../cube/cube.ts'
import { differenceOf } from '../../difference.ts'
import type { JourneyPart, MaturedPart, ReportDocument, TrackPart } from '../../document.ts'
import { eventValue } from '../../event-value.ts'
import type { BlockRows } from '../block-rows.ts'
import { html, nothing, section, type Child } from '../element.ts'
import { withExports } from '../exports.ts'
import { count, exactly, percent, points } from '../format.ts'
import { table, type Column } from '../table.ts'
import {
  cyclePairs,
  funnelPairs,
  movePairs,
  startedOf,
  type CountPair,
  type Pair,
} from './pairs.ts'
import { choiceText, type Choice, type Sides } from './choice.ts'
import { allChoices, sideOf, type Side } from './side.ts'

const KIND_TITLES = { source: 'Sources', group: '', version: 'Versions', cohort: 'Cohorts' }

/** Null where there is nothing to compare. */
export function compare(
  report: ReportDocument,
  journey: JourneyPart,
  track: TrackPart,
  slice: Slice,
  { first, second }: Sides,
  onChoose: (sides: Sides) => void,
): HTMLElement | null {
  const choices = allChoices(report, journey)
  if (choices.length === 0) return null
  const known = (choice: Choice | null) =>
    choices.find((one) => choice !== null && choiceText(one) === choiceText(choice)) ?? null
  const [left, right] = [known(first), known(second)]
  const pick = (
    label: string,
    none: string,
    chosen: Choice | null,
    take: (one: Choice | null) => Sides,
  ) => selectOf(label, none, choices, chosen, report.by, (one) => onChoose(take(one)))
  const sides = [left, right].map((one) => sideOf(report, journey, track, slice, one))
  const element = section(
    'compare',
    'Side by side',
    [
      'Two choices on the chosen days: rates of the matured step by step, the ways out of each ' +
        'state, and cycles. In brackets is the 95 % interval of the difference.',
    ],
    html(
      'div',
      { class: 'controls' },
      pick('First', 'Everything chosen', left, (one) => ({ first: one, second: right })),
      pick('Second', 'Nothing', right, (one) => ({ first: left, second: one })),
    ),
    ...(right === null ? [] : tables(sides[0] as Side, sides[1] as Side)),
  )
  if (right === null) return element
  const value = report.by === null ? null : eventValue(report.by, report.warehouse)
  const place = { journey: journey.id, track: track.name, value }
  return withExports(element, {
    name: 'compare',
    sql: (sides as Side[])
      .map(
        ({ title, slice: own, sql }) =>
          `-- ${title.replaceAll(/\s/g, ' ')}\n${sql}${blockSql('funnel', { ...place, slice: own })};\n`,
      )
      .join('\n'),
    rowsOf: () => compareRows(sides[0] as Side, sides[1] as Side),
  })
}

/** A list of choices by their kind. */
function selectOf(
  label: string,
  none: string,
  choices: Choice[],
  chosen: Choice | null,
  by: string | null,
  onChoose: (choice: Choice | null) => void,
): HTMLElement {
  const option = (choice: Choice, i: number) =>
    html('option', { value: i, selected: choice === chosen }, choice.name)
  const kinds = [...new Set(choices.map(({ kind }) => kind))]
  const list = html(
    'select',
    { name: label.toLowerCase() },
    html('option', { value: -1, selected: chosen === null }, none),
    ...kinds.map((kind) =>
      html(
        'optgroup',
        { label: kind === 'group' ? (by ?? '') : KIND_TITLES[kind] },
        ...choices.flatMap((choice, i) => (choice.kind === kind ? [option(choice, i)] : [])),
      ),
    ),
  )
  list.addEventListener('change', () => onChoose(choices[Number(list.value)] ?? null))
  return html('label', {}, html('span', {}, label), list)
}

function tables(first: Side, second: Side): Child[] {
  const funnels = Map.groupBy(funnelPairs(first, second), ({ of }) => of)
  const versus = `${first.title} beside ${second.title}`
  const moves = movePairs(first, second)
  const cycles = cyclePairs(first, second)
  const runs = [first, second].map(startedOf) as [number, number]
  return [
    ...[...funnels].flatMap(([name, rows]): Child[] => [
      html('h3', {}, `${name}: ${versus}`),
      pairTable(`${name}: ${versus}`, 'Step', first, second, rows),
    ]),
    html('h3', {}, `Ways out of each state: ${versus}`),
    moves.length === 0
      ? nothing('Nobody has moved.')
      : pairTable(`Ways: ${versus}`, 'Way', first, second, moves),
    ...(cycles.length === 0
      ? []
      : [
          html('h3', {}, `Cycles, by run that began: ${versus}`),
          cycleTable(`Cycles: ${versus}`, first, second, runs, cycles),
        ]),
  ]
}

function pairTable(caption: string, title: string, first: Side, second: Side, rows: Pair[]) {
  const columns: Column<Pair>[] = [
    { title, cell: ({ name }) => name },
    { title: first.title, cell: (pair) => rate(pair.first), isNumber: true },
    { title: second.title, cell: (pair) => rate(pair.second), isNumber: true },
    { title: 'Difference, points', cell: difference, isNumber: true },
  ]
  return table(caption, columns, rows)
}

const rate = (matured: MaturedPart | null): string =>
  matured === null || matured.rate === null
    ? '–'
    : `${percent(matured.rate)} of ${exactly(matured.count)}`

/** The second rate less the first; strong if its interval does not reach zero. */
function difference({ first, second }: Pair): Child {
  const found = differenceOf(first, second)
  if (found === null) return '–'
  const text = `${points(found.change)} (${points(found.low)} to ${points(found.high)})`
  return found.low > 0 || found.high < 0 ? html('strong', {}, text) : text
}

function cycleTable(
  caption: string,
  first: Side,
  second: Side,
  [firstRuns, secondRuns]: [number, number],
  rows: CountPair[],
): HTMLElement {
  const per = (times: number, runs: number) =>
    runs === 0 ? count(times) : `${count(times)}, ${Math.round((100 * times) / runs)} per 100 runs`
  return table<CountPair>(
    caption,
    [
      { title: 'Cycle', cell: ({ name }) => name },
      { title: first.title, cell: (pair) => per(pair.first, firstRuns), isNumber: true },
      { title: second.title, cell: (pair) => per(pair.second, secondRuns), isNumber: true },
    ],
    rows,
  )
}

/** Counts of both sides, and of how many they are. */
function compareRows(first: Side, second: Side): BlockRows {
  const ofPair = ({ of, name, first: a, second: b }: Pair) => [
    of,
    name,
    ...[a, b].flatMap((one) => [one?.converted ?? null, one?.count ?? null]),
  ]
  const runs = [startedOf(first), startedOf(second)] as const
  const ofCycle = (pair: CountPair) => [
    'cycles',
    pair.name,
    pair.first,
    runs[0],
    pair.second,
    runs[1],
  ]
  return {
    titles: ['of', 'name', 'first', 'first_of', 'second', 'second_of'],
    rows: [
      ...[...funnelPairs(first, second), ...movePairs(first, second)].map(ofPair),
      ...cyclePairs(first, second).map(ofCycle),
    ],
  }
}
