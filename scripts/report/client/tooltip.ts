/** One tooltip for the whole page: numbers for what is under the pointer or has the focus. */

import { html, type Child } from './element.ts'

const tooltip = html('div', { class: 'tooltip', role: 'tooltip', hidden: true })
const GAP = 14

/** Put once into the page. */
export function tooltipElement(): HTMLElement {
  return tooltip
}

/** Shows `content` while the pointer is over `target` or the keyboard is on it. The keyboard stops
 * at every target. */
export function tip(target: Element, content: () => Child[]): void {
  if (!target.hasAttribute('tabindex')) target.setAttribute('tabindex', '0')
  target.addEventListener('pointerenter', (event) => {
    if ((event as PointerEvent).pointerType === 'touch') return
    show(content(), event as PointerEvent)
  })
  target.addEventListener('pointermove', (event) => {
    if (!tooltip.hidden) place((event as PointerEvent).clientX, (event as PointerEvent).clientY)
  })
  target.addEventListener('pointerleave', hide)
  target.addEventListener('focus', () => {
    if (!target.matches(':focus-visible')) return
    const box = target.getBoundingClientRect()
    show(content(), { clientX: box.left + box.width / 2, clientY: box.bottom })
  })
  target.addEventListener('blur', hide)
}

export function show(content: Child[], at: { clientX: number; clientY: number }): void {
  tooltip.replaceChildren(...content.filter((child) => child !== null))
  tooltip.hidden = false
  place(at.clientX, at.clientY)
}

export function hide(): void {
  tooltip.hidden = true
}

/** Beside the pointer, and always inside the window. */
function place(x: number, y: number): void {
  const { offsetWidth: width, offsetHeight: height } = tooltip
  const left = x + GAP + width > innerWidth ? x - GAP - width : x + GAP
  const top = y + GAP + height > innerHeight ? y - GAP - height : y + GAP
  tooltip.style.left = `${Math.max(4, left)}px`
  tooltip.style.top = `${Math.max(4, top)}px`
}

/** A title and lines of `name  value`. */
export function facts(title: string, lines: [name: string, value: string][]): Child[] {
  return [
    html('strong', {}, title),
    html(
      'dl',
      {},
      ...lines.flatMap(([name, value]) => [html('dt', {}, name), html('dd', {}, value)]),
    ),
  ]
}
