/** On a narrow screen, folds the parts of the page behind their headings. */

import { html } from './element.ts'

const NARROW = '(max-width: 640px)'
/** Parts that are shown at first. */
const OPEN_AT_FIRST = new Set(['funnel'])

export class Folds {
  readonly #media = matchMedia(NARROW)
  /** Parts that were opened or closed by the reader. */
  readonly #isOpen = new Map<string, boolean>()

  /** Calls `redraw` whenever the screen becomes narrow or wide. */
  onChange(redraw: () => void): void {
    this.#media.addEventListener('change', redraw)
  }

  /** Makes the heading of each part a button, on a narrow screen. */
  apply(parts: readonly HTMLElement[]): void {
    if (!this.#media.matches) return
    for (const part of parts) this.#fold(part)
  }

  #fold(part: HTMLElement): void {
    const heading = part.querySelector('h2')
    if (heading === null) return
    const button = html('button', { type: 'button', class: 'fold' }, heading.textContent ?? '')
    const set = (isOpen: boolean) => {
      part.classList.toggle('is-folded', !isOpen)
      button.setAttribute('aria-expanded', String(isOpen))
    }
    button.addEventListener('click', () => {
      const isOpen = part.classList.contains('is-folded')
      this.#isOpen.set(part.id, isOpen)
      set(isOpen)
    })
    heading.replaceChildren(button)
    set(this.#isOpen.get(part.id) ?? OPEN_AT_FIRST.has(part.id))
  }
}
