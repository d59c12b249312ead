/**
 * Cycles by what they cost: people, time, or sheer number. Where no final state of a track is a
 * failure, nobody can be lost.
 */

import type { CyclePart, StatePart, TrackPart } from '../document.ts'
import { html, nothing, pathOf, section, type Child } from './element.ts'
import { count, counted, duration, percent } from './format.ts'
import { nameOf, touchesPath, touchesStep, type Selection } from './selection.ts'
import { table, type Column } from './table.ts'
import { facts, tip } from './tooltip.ts'

/** Fewer runs than a rate can be trusted for. */
const FEW = 10

export type CycleOrder = 'lostCount' | 'totalMs' | 'count'

export function cycles(
  track: TrackPart,
  selection: Selection,
  order: CycleOrder,
  onOrder: (order: CycleOrder) => void,
  isWhole: boolean,
): HTMLElement {
  const has = (wanted: StatePart['outcome']) =>
    track.states.some(({ outcome }) => outcome === wanted)
  const hasLoss = isWhole && has('failure')
  const chosen = hasLoss || order !== 'lostCount' ? order : 'totalMs'
  const touched = track.cycles.filter(({ path }) => touchesPath(selection, path))
  const sorted = touched.sort((a, b) => b[chosen] - a[chosen])
  const most = (of: CycleOrder) => Math.max(1, ...track.cycles.map((cycle) => cycle[of]))
  const by = (of: CycleOrder) => ({
    isNumber: true,
    bar: (cycle: CyclePart) => cycle[of] / most(of),
    onSort: () => onOrder(of),
    isSorted: of === chosen,
  })
  const path: Column<CyclePart> = {
    title: 'Cycle',
    cell: (cycle) => pathOf(cycle.path, (i) => touchesStep(selection, cycle.path, i)),
  }
  const lost: Column<CyclePart> = {
    title: 'People lost',
    cell: ({ lostCount }) => count(lostCount),
    ...by('lostCount'),
  }
  const costs: Column<CyclePart>[] = [
    { title: 'Times', cell: (cycle) => count(cycle.count), ...by('count') },
    { title: 'Time spent', cell: ({ totalMs }) => duration(totalMs), ...by('totalMs') },
    {
      title: 'Typically',
      cell: ({ medianMs }) => duration(medianMs),
      isNumber: true,
    },
  ]
  const converted: Column<CyclePart> = { title: 'Still convert, by lap', cell: laps }
  return section(
    'cycles',
    'Cycles',
    [
      'Ways that led people back to where they had been, those that cost most first. ' +
        `A hollow bar is the rate of fewer than ${FEW} runs.`,
    ],
    sorted.length === 0
      ? nothing(
          selection === null || track.cycles.length === 0
            ? 'Nobody has gone round in a circle.'
            : `None of these cycles goes through ${nameOf(selection)}.`,
        )
      : table(
          'Cycles by cost',
          [
            path,
            ...(hasLoss ? [lost] : []),
            ...costs,
            ...(isWhole && has('success') ? [converted] : []),
          ],
          sorted,
        ),
    leftOut(track),
  )
}

/** How many get to the end after the first, second, third … time round. */
function laps({ laps: all, convertedRate, profileCount }: CyclePart): Child {
  if (all.length === 0) return percent(convertedRate)
  const bars = all.map(({ instanceCount, convertedRate: rate }) =>
    html(
      'span',
      { class: instanceCount < FEW ? 'lap is-few' : 'lap' },
      html('span', { class: 'lap-bar', style: `--share:${rate ?? 0}` }),
      html('span', { class: 'lap-text' }, percent(rate)),
    ),
  )
  const group = html('span', { class: 'laps' }, ...bars)
  tip(group, () =>
    facts('Still convert', [
      ...all.map(({ lap, instanceCount, convertedRate: rate }): [string, string] => [
        `After lap ${lap}`,
        `${percent(rate)} of ${counted(instanceCount, 'run', 'runs')}`,
      ]),
      ['People in all', count(profileCount)],
    ]),
  )
  return group
}

function leftOut({ cyclesLeftOut: { paths, times } }: TrackPart): Child {
  if (paths === 0) return null
  return html(
    'p',
    { class: 'note' },
    `${counted(paths, 'rarer cycle', 'rarer cycles')}, walked ${count(times)} times, left out.`,
  )
}
