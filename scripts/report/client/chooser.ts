/** A choice of a journey or a track. */

import { html } from './element.ts'

/** Buttons side by side, one of them pressed. */
export function chooser(
  label: string,
  names: string[],
  chosen: number,
  onChoose: (no: number) => void,
): HTMLElement {
  const buttons = names.map((name, i) => {
    const press = () => {
      onChoose(i)
      document.querySelector<HTMLElement>(`[data-choice="${label} ${i}"]`)?.focus()
    }
    return html(
      'button',
      {
        type: 'button',
        'aria-pressed': String(i === chosen),
        'data-choice': `${label} ${i}`,
        click: press,
      },
      name,
    )
  })
  return html('div', { class: 'chooser', role: 'group', 'aria-label': label }, ...buttons)
}
