/** Spreads the ends of lines over the sides of their boxes, so that heads do not overlap. */

import type { Box, Direction, Point } from './layout.ts'

type Ended = {
  /** From tail to head of the layout, first to last layer. */
  points: Point[]
  ends: readonly [tail: string, head: string]
  thickness: number
}

const PADDING = 6

/** Moves the first and last point of every line in place. Self-loops are not touched. */
export function spreadEnds(
  boxes: Box[],
  centres: Map<string, Point>,
  lines: Ended[],
  direction: Direction,
): void {
  const isRight = direction === 'right'
  const across = isRight ? 'y' : 'x'
  const along = isRight ? 'x' : 'y'
  const others = lines.filter(({ ends: [tail, head] }) => tail !== head)
  for (const box of boxes) {
    const centre = centres.get(box.name) ?? { x: 0, y: 0 }
    const size = isRight ? box.height : box.width
    const depth = (isRight ? box.width : box.height) / 2
    for (const side of [0, 1] as const) {
      // Lines leave a box on its far side, and arrive on its near side.
      const own = others.filter(({ ends }) => ends[side] === box.name)
      const [end, next] = side === 0 ? [0, 1] : [-1, -2]
      own.sort((a, b) => (a.points.at(next)?.[across] ?? 0) - (b.points.at(next)?.[across] ?? 0))
      const room = size - 2 * PADDING
      const total = own.reduce((sum, { thickness }) => sum + thickness + PADDING, 0)
      const squeeze = Math.min(1, room / Math.max(1, total))
      let at = centre[across] - (total * squeeze) / 2
      for (const { points, thickness } of own) {
        const share = (thickness + PADDING) * squeeze
        const point = points.at(end)
        if (point !== undefined) {
          point[across] = at + share / 2
          point[along] = centre[along] + (side === 0 ? depth : -depth)
        }
        at += share
      }
    }
  }
}
