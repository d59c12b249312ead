/** The foot of the page: which events it covers, and the room of what a choice is recomputed from. */

import type { ReportDocument } from '../document.ts'
import { html } from './element.ts'
import { counted, exactly, instant, percent } from './format.ts'

/** The room that the daily counts take, and what did not fit. */
function cubesText(report: ReportDocument): string {
  const cubes = Object.values(report.cubes)
  const [paths, times] = cubes.reduce(
    ([paths, times], { others }) => [paths + others.paths, times + others.count],
    [0, 0],
  )
  const rare = Object.values(report.sketches.cubes).reduce(
    (total, { others }) => total + others.paths,
    0,
  )
  const left =
    paths === 0
      ? ''
      : `; ${counted(paths, 'rare path', 'rare paths')} of ${counted(times, 'time', 'times')} ` +
        'did not fit, and count only without a choice of days or source'
  const kilobytes = (bytes: number) => Math.ceil(bytes / 1_000)
  return (
    `Daily counts take ${kilobytes(report.cubeBytes)} of at most ` +
    `${kilobytes(report.cubeBytesMax)} KB on this page${left}. Daily sketches of times take ` +
    `${kilobytes(report.sketches.bytes)} of at most ${kilobytes(report.sketches.bytesMax)} KB; ` +
    `times worked out from them are within ${percent(report.sketches.error)} of the exact ones` +
    `${rare === 0 ? '' : `, and missing on ${counted(rare, 'rare path', 'rare paths')}`}.`
  )
}

export function footer(report: ReportDocument): HTMLElement {
  const { watermark, recordedAt, batch, warehouse, journeysLeftOut } = report
  return html(
    'footer',
    {},
    html(
      'p',
      {},
      `${watermark === null ? 'Covers no event' : `Covers events up to ${instant(watermark)}`}, ` +
        `as recorded ${instant(recordedAt)} ` +
        `(batch ${exactly(batch)}) in ${warehouse}.`,
    ),
    report.empty === null ? html('p', {}, cubesText(report)) : null,
    journeysLeftOut === 0
      ? null
      : html(
          'p',
          {},
          `${counted(journeysLeftOut, 'journey is', 'journeys are')} not on this page.`,
        ),
  )
}
