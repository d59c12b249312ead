/**
 * Makes elements. Text from the warehouse goes in as text nodes and attribute values only, so that
 * no name of an event or a state is ever read as markup.
 */

export type Child = Node | string | null

/** Characters of a text that may not fit its place. */
const LONG_FROM = 16

type Attributes = {
  [name: string]: string | number | boolean | null | ((event: Event) => void)
}

/** An HTML element. An attribute of null or false is left out, one of true has no value. */
export function html<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  return fill(document.createElement(tag), attributes, children.flatMap(breakable))
}

/** Lets a line break behind each `_` of a long name. The text stays the same. */
function breakable(child: Child): Child[] {
  if (typeof child !== 'string' || child.length < LONG_FROM || !child.includes('_')) return [child]
  const parts = child.split(/(?<=_)/)
  return parts.flatMap((part, i) => (i === 0 ? [part] : [document.createElement('wbr'), part]))
}

/** An SVG element. */
export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[Tag] {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children)
}

function fill<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value)
    else if (value !== null && value !== false)
      element.setAttribute(name, value === true ? '' : String(value))
  }
  element.append(...children.filter((child) => child !== null))
  return element
}

/** Part of the page: a heading, a sentence about its content, and the content. */
export function section(id: string, title: string, lede: Child[], ...body: Child[]): HTMLElement {
  return html(
    'section',
    { id, 'aria-labelledby': `${id}-title` },
    html('h2', { id: `${id}-title` }, title),
    html('p', { class: 'lede' }, ...lede),
    ...body,
  )
}

/** Text shown in place of empty content. */
export function nothing(text: string): HTMLElement {
  return html('p', { class: 'nothing' }, text)
}

/** States in their order, as people walked them. */
export function pathOf(states: string[], isSelected: (i: number) => boolean): HTMLElement {
  const steps = states.flatMap((state, i): Child[] => [
    i === 0 ? null : html('span', { class: 'arrow', 'aria-hidden': 'true' }, '→'),
    html('span', { class: isSelected(i) ? 'step is-selected' : 'step' }, state),
  ])
  return html('span', { class: 'path' }, ...steps)
}
