/** Buttons of a block: its query, its rows as CSV, and its picture as SVG. */

import type { BlockRows } from './block-rows.ts'
import { csvOf } from './csv.ts'
import { html } from './element.ts'
import { pictureOf } from './svg-picture.ts'

type Exports = { name: string; sql: string; rowsOf: () => BlockRows }

/** Adds the buttons to the end of a section. */
export function withExports(section: HTMLElement, { name, sql, rowsOf }: Exports): HTMLElement {
  const query = html('pre', { class: 'query', tabindex: 0, hidden: true }, html('code', {}, sql))
  const status = html('span', { class: 'aside', role: 'status' })
  const copy = () => {
    query.hidden = false
    const done = () => (status.textContent = 'Copied')
    const failed = () => getSelection()?.selectAllChildren(query)
    navigator.clipboard?.writeText(sql).then(done, failed)
  }
  const button = (text: string, click: () => void) =>
    html('button', { type: 'button', 'aria-label': `${text}, ${name}`, click }, text)
  const bar = html(
    'div',
    { class: 'exports' },
    button('Copy SQL', copy),
    button('CSV', () => download(`${name}.csv`, 'text/csv', csvOf(rowsOf()))),
    button('SVG', () => download(`${name}.svg`, 'image/svg+xml', pictureOf(section))),
    status,
  )
  section.append(bar, query)
  return section
}

function download(name: string, type: string, text: string): void {
  const href = URL.createObjectURL(new Blob([text], { type }))
  html('a', { href, download: name }).click()
  setTimeout(() => URL.revokeObjectURL(href), 10_000)
}
