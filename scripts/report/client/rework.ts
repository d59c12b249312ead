/** States that runs enter more than once. */

import type { ReworkPart, TrackPart } from '../document.ts'
import { nothing, section } from './element.ts'
import { count, percent } from './format.ts'
import { nameOf, touchesState, type Selection } from './selection.ts'
import { table } from './table.ts'

export function rework({ rework: all }: TrackPart, selection: Selection): HTMLElement {
  const shown = all.filter(({ state }) => touchesState(selection, state))
  return section(
    'rework',
    'Entered again',
    ['States that runs enter more than once, at once or on the way back from others.'],
    shown.length === 0
      ? nothing(
          selection === null || all.length === 0
            ? 'No state was entered twice in a run.'
            : `${nameOf(selection)} was not entered twice in a run.`,
        )
      : table<ReworkPart>(
          'States entered again, most often first',
          [
            { title: 'State', cell: ({ state }) => state },
            { title: 'Entries', cell: ({ entries }) => count(entries), isNumber: true },
            { title: 'From itself', cell: ({ selfLoops }) => count(selfLoops), isNumber: true },
            { title: 'Through others', cell: ({ repeats }) => count(repeats), isNumber: true },
            {
              title: 'Again, of all entries',
              cell: ({ rate }) => percent(rate),
              isNumber: true,
              bar: ({ rate }) => rate,
            },
            {
              title: 'Runs that did',
              cell: ({ reworked, instances }) => `${count(reworked)} of ${count(instances)}`,
              isNumber: true,
            },
          ],
          shown,
        ),
  )
}
