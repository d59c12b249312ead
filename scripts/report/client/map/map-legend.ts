/** Legend of the lines of the map. */

import { html, svg } from '../element.ts'

export function legend(): HTMLElement {
  const sample = (kind: string, text: string) =>
    html(
      'li',
      {},
      svg(
        'svg',
        { width: 36, height: 12, 'aria-hidden': 'true' },
        svg('g', { class: kind }, svg('path', { class: 'body', d: 'M1,6H35', 'stroke-width': 3 })),
      ),
      text,
    )
  return html(
    'ul',
    { class: 'legend' },
    sample('way is-on', 'leads on'),
    sample('way is-back', 'leads back, or round'),
    sample('way is-on is-timeout', 'by timeout'),
    html(
      'li',
      {},
      svg(
        'svg',
        { width: 36, height: 12, 'aria-hidden': 'true' },
        svg('g', { class: 'refused' }, svg('path', { d: 'M10,6h14m0,-5v10' })),
      ),
      'event refused there',
    ),
  )
}
