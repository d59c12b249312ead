/** The top of a page: its maker, what can be chosen, and light or dark. */

import { html } from './element.ts'

export function pageHeader(choice: HTMLElement): HTMLElement {
  return html('header', {}, html('p', { class: 'brand' }, 'Desire Path'), choice, schemeButton())
}

/** Follows the system until it is pressed. */
function schemeButton(): HTMLElement {
  const isDark = () => {
    const { scheme } = document.documentElement.dataset
    return scheme === undefined
      ? matchMedia('(prefers-color-scheme: dark)').matches
      : scheme === 'dark'
  }
  const button = html('button', { type: 'button', class: 'scheme' })
  const say = () => {
    button.textContent = isDark() ? 'Light' : 'Dark'
    button.setAttribute('aria-label', isDark() ? 'Use light colours' : 'Use dark colours')
  }
  button.addEventListener('click', () => {
    document.documentElement.dataset['scheme'] = isDark() ? 'light' : 'dark'
    say()
  })
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', say)
  say()
  return button
}
