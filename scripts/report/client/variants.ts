/** Whole paths, from the start to where each run now stands, commonest first. */

import type { TrackPart, VariantPart } from '../document.ts'
import { html, nothing, pathOf, section, type Child } from './element.ts'
import { count, counted, percent } from './format.ts'
import { nameOf, touchesPath, touchesStep, type Selection } from './selection.ts'
import { table } from './table.ts'

export function variants(track: TrackPart, selection: Selection): HTMLElement {
  const { variants: all } = track
  const touched = all.filter(({ path }) => touchesPath(selection, path))
  const most = all[0]?.coverage ?? 1
  return section(
    'variants',
    'Whole paths',
    [lede(track, touched.length, selection)],
    touched.length === 0
      ? nothing(
          selection === null || all.length === 0
            ? 'Nobody has set out yet.'
            : `None of these paths goes through ${nameOf(selection)}.`,
        )
      : table(
          'Whole paths, commonest first',
          [
            {
              title: 'Path',
              cell: (variant) => wholePath(variant, selection),
            },
            { title: 'Runs', cell: ({ count: times }) => count(times), isNumber: true },
            { title: 'People', cell: ({ profileCount }) => count(profileCount), isNumber: true },
            {
              title: 'Of all runs',
              cell: ({ coverage }) => percent(coverage),
              isNumber: true,
              bar: ({ coverage }) => coverage / most,
            },
            { title: 'So far', cell: ({ cumulative }) => percent(cumulative), isNumber: true },
          ],
          touched,
        ),
    leftOut(track),
  )
}

function wholePath({ path, statesLeftOut }: VariantPart, selection: Selection): Child {
  const shown = pathOf(path, (i) => touchesStep(selection, path, i))
  if (statesLeftOut > 0) shown.append(` … and ${count(statesLeftOut)} more`)
  return shown
}

function lede({ variants: all }: TrackPart, touched: number, selection: Selection): string {
  if (all.length === 0) return 'From the start to where each run now stands.'
  const covered = percent(all.at(-1)?.cumulative ?? 0)
  const shown = counted(all.length, 'path covers', 'commonest paths cover')
  if (selection === null) return `${shown} ${covered} of all runs.`
  return `${touched} of the ${all.length} commonest paths go through ${nameOf(selection)}.`
}

function leftOut({ variantsLeftOut: { paths, times } }: TrackPart): Child {
  if (paths === 0) return null
  return html(
    'p',
    { class: 'note' },
    `${counted(paths, 'rarer path', 'rarer paths')} left out, of ${counted(times, 'run', 'runs')}.`,
  )
}
