/** Next steps of runs after a drop-off: a timeout, a way back, or a failure. */

import type { DropOffPart, TrackPart } from '../../document.ts'
import { html, nothing, section } from '../element.ts'
import { count, counted, duration, percent } from '../format.ts'
import { nameOf, touchesState, type Selection } from '../selection.ts'
import { table } from '../table.ts'

const KINDS: { [kind in DropOffPart['kind']]: string } = {
  timed_out: 'timed out',
  went_back: 'went back',
  failed: 'failed',
}

export function dropOffs(track: TrackPart, selection: Selection): HTMLElement {
  const { dropOffs: all, dropOffsLeftOut } = track
  const shown = all.filter(
    ({ from, to }) => touchesState(selection, from) || touchesState(selection, to),
  )
  const most = Math.max(1, ...all.map((one) => one.count))
  return section(
    'next',
    'After a drop-off',
    ['What runs did next when a timeout, a way back or a failure had taken them off their way.'],
    shown.length === 0
      ? nothing(
          selection === null || all.length === 0
            ? 'Nobody has dropped off.'
            : `No drop-off from or to ${nameOf(selection)}.`,
        )
      : table<DropOffPart>(
          'Drop-offs and what came next, commonest first',
          [
            { title: 'Drop-off', cell: ({ from, to }) => `${from} → ${to}` },
            { title: 'Because', cell: ({ kind }) => KINDS[kind] },
            { title: 'Next', cell: nextText },
            {
              title: 'Times',
              cell: (one) => count(one.count),
              isNumber: true,
              bar: (one) => one.count / most,
            },
            { title: 'Of this drop-off', cell: ({ share }) => percent(share), isNumber: true },
            {
              title: 'Typically after',
              cell: ({ medianMs }) => duration(medianMs),
              isNumber: true,
            },
          ],
          shown,
        ),
    dropOffsLeftOut.paths === 0
      ? null
      : html(
          'p',
          { class: 'note' },
          `${counted(dropOffsLeftOut.paths, 'rarer kind', 'rarer kinds')} with ` +
            `${counted(dropOffsLeftOut.times, 'drop-off', 'drop-offs')} left out.`,
        ),
  )
}

function nextText({ nextState, nextEvent, nextCause }: DropOffPart): string {
  if (nextState === null) return 'nothing yet'
  return `${nextState}, ${nextCause === 'timeout' ? 'by timeout' : `by ${nextEvent ?? nextCause}`}`
}
