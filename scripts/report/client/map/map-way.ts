/** Ways of the map: lines as wide as their count, with count, share and median time beside them. */

import { svg } from '../element.ts'
import type { Point } from './layout.ts'
import { NOTE_HEIGHT, plateSize } from './map-text.ts'

const THICKNESS_MIN = 1.2
const THICKNESS_MAX = 13
const WEIGHT_MAX = 10

/** Lines are as wide as their count; the rarest can still be seen. */
export const thicknessOf = (times: number, most: number): number =>
  THICKNESS_MIN + (THICKNESS_MAX * times) / most

/** Weight in the layout, 1 to 10. The root keeps ways of middling count from counting as rare. */
export const weightOf = (times: number, most: number): number =>
  1 + Math.round((WEIGHT_MAX - 1) * Math.sqrt(times / most))

/** Returns lines of text around a point. */
export function plate(lines: string[], { x, y }: Point): SVGElement {
  const { height } = plateSize(lines)
  const top = y - height / 2 + 13
  return svg(
    'g',
    { class: 'way-label' },
    ...lines.flatMap((line, i) => [svg('text', { x, y: top + i * NOTE_HEIGHT }, line), ' ']),
  )
}
