/** A time to choose: a range over a list of instants, and steps to the next and the one before. */

import { html } from '../../report/client/element.ts'

export type SliderParts = {
  id: string
  title: string
  /** How many instants there are. */
  count: number
  start: number
  /** Returns the text of an instant. */
  wordsOf: (place: number) => string
  onChange: (place: number) => void
}

export function slider({ id, title, count, start, wordsOf, onChange }: SliderParts): HTMLElement {
  const range = html('input', { id, type: 'range', min: 0, max: count - 1, step: 1 })
  const output = html('output', { for: id })
  const step = (by: number, label: string, sign: string) =>
    html(
      'button',
      { type: 'button', 'aria-label': label, click: () => choose(range.valueAsNumber + by) },
      sign,
    )
  const back = step(-1, `${title}: earlier`, '‹')
  const on = step(1, `${title}: later`, '›')
  const say = () => {
    const place = range.valueAsNumber
    output.textContent = wordsOf(place)
    range.setAttribute('aria-valuetext', wordsOf(place))
    back.toggleAttribute('disabled', place === 0)
    on.toggleAttribute('disabled', place === count - 1)
  }
  const choose = (place: number) => {
    range.value = String(place)
    say()
    onChange(range.valueAsNumber)
  }
  range.addEventListener('input', () => choose(range.valueAsNumber))
  range.value = String(start)
  say()
  return html(
    'div',
    { class: 'time' },
    html('label', { for: id }, title),
    html('div', { class: 'time-range' }, back, range, on),
    output,
  )
}
