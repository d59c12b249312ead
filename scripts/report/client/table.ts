/**
 * A table with bars in it. On a narrow screen a row becomes a card, each cell with its title; what
 * does not fit at first is a click away.
 */

import { html, type Child } from './element.ts'

export type Column<Row> = {
  title: string
  cell: (row: Row) => Child
  isNumber?: boolean
  /** 0 to 1: a bar behind the number. */
  bar?: (row: Row) => number
  /** Makes the title a button that sorts by this, the greatest first. */
  onSort?: () => void
  isSorted?: boolean
}

const SHOWN = 10

export function table<Row>(caption: string, columns: Column<Row>[], rows: Row[]): HTMLElement {
  const body = html('tbody', {}, ...rows.slice(0, SHOWN).map((row) => tableRow(columns, row)))
  const element = html(
    'table',
    { class: 'cards' },
    html('caption', {}, caption),
    html('thead', {}, html('tr', {}, ...columns.map(titleCell))),
    body,
  )
  if (rows.length <= SHOWN) return element
  const more = html('button', { type: 'button', class: 'more' }, `Show all ${rows.length}`)
  more.addEventListener('click', () => {
    body.append(...rows.slice(SHOWN).map((row) => tableRow(columns, row)))
    more.remove()
  })
  const onPaper = `The first ${SHOWN} of ${rows.length} are printed.`
  const note = html('p', { class: 'note of-print' }, onPaper)
  more.addEventListener('click', () => note.remove())
  return html('div', {}, element, more, note)
}

function titleCell<Row>({ title, isNumber, onSort, isSorted }: Column<Row>): HTMLElement {
  return html(
    'th',
    {
      scope: 'col',
      class: isNumber === true ? 'number' : null,
      'aria-sort': isSorted === true ? 'descending' : null,
    },
    onSort === undefined
      ? title
      : html('button', { type: 'button', class: 'sort', click: onSort }, title),
  )
}

function tableRow<Row>(columns: Column<Row>[], row: Row): HTMLElement {
  return html(
    'tr',
    {},
    ...columns.map(({ title, cell, isNumber, bar }, i) =>
      html(
        i === 0 ? 'th' : 'td',
        {
          scope: i === 0 ? 'row' : null,
          class: isNumber === true ? 'number' : null,
          'data-title': title,
        },
        html('span', { class: 'cell' }, cell(row)),
        bar === undefined
          ? null
          : html('span', {
              class: 'cell-bar',
              style: `--share:${Math.max(0, Math.min(1, bar(row)))}`,
            }),
      ),
    ),
  )
}

/** A plain table behind a line of text; its rows are made when it is opened. */
export function folded(
  summary: string,
  titles: string[],
  numbersFrom: number,
  rowsOf: () => string[][],
): HTMLElement {
  const numberClass = (i: number) => ({ class: i >= numbersFrom ? 'number' : null })
  const body = html('tbody')
  const heads = titles.map((title, i) => html('th', { scope: 'col', ...numberClass(i) }, title))
  const details = html(
    'details',
    {},
    html('summary', {}, summary),
    html(
      'div',
      { class: 'scroll' },
      html('table', {}, html('thead', {}, html('tr', {}, ...heads)), body),
    ),
  )
  details.addEventListener('toggle', () => {
    if (body.childElementCount > 0) return
    const rows = rowsOf().map((cells) =>
      html(
        'tr',
        {},
        ...cells.map((cell, i) =>
          i === 0 ? html('th', { scope: 'row' }, cell) : html('td', numberClass(i), cell),
        ),
      ),
    )
    body.append(...rows)
  })
  return details
}
