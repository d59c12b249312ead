/**
 * The report's document and client → its page. Of the 140 KB a third is the layout of the map
 * (dagre; elkjs would be ten times all of it) and a third are d3's scales and shapes; a chart
 * library would bring a canvas, which neither prints nor follows the scheme, or all of d3.
 * Everything that is a row with a bar is a table.
 */

import { htmlOf } from '../cli/page.ts'
import type { ReportDocument } from './document.ts'

const STYLES = [
  'style.css',
  'controls.css',
  'map.css',
  'tables.css',
  'charts.css',
  'curves.css',
  'touch.css',
  'print.css',
]
const clientFile = (name: string) => new URL(`./client/${name}`, import.meta.url)

export function reportPage(document: ReportDocument): Promise<string> {
  const names = document.journeys.map(({ id }) => id).join(', ')
  return htmlOf({
    title: names === '' ? 'Journeys' : names,
    document,
    script: clientFile('page.ts'),
    styles: STYLES.map((name) => clientFile(`styles/${name}`)),
  })
}
