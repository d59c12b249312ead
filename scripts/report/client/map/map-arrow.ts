/** The lines of the map: smooth, with a head that grows with the width. */

import { curveBumpX, curveBumpY, line } from 'd3-shape'
import type { Direction, Point } from './layout.ts'
import type { Size } from './map-text.ts'

/** Line, filled arrow head, and centre of the label. */
export type Arrow = { body: string; head: string; label: Point }

const through = line<Point>(
  ({ x }) => x,
  ({ y }) => y,
)

/** The line ends where the head begins. It leaves and arrives at right angles to the layers. */
export function arrow(points: Point[], label: Point, width: number, direction: Direction): Arrow {
  const end = points.at(-1)
  const before = points.at(-2)
  if (end === undefined || before === undefined) return { body: '', head: '', label }
  const isRight = direction === 'right'
  const way = isRight
    ? { x: Math.sign(end.x - before.x), y: 0 }
    : { x: 0, y: Math.sign(end.y - before.y) }
  const curved = through.curve(isRight ? curveBumpX : curveBumpY)
  const body = curved([...points.slice(0, -1), neckOf(end, way, width)]) ?? ''
  return { body, head: headOf(end, way, width), label }
}

type Box = Point & Size

/** Out of a side of a box and into it again: below where the map runs right, else beside it. The
 * loop reaches as far as its label, which lies on `plate`. */
export function loop(
  box: Box,
  label: Point,
  plate: Size,
  width: number,
  direction: Direction,
): Arrow {
  const isRight = direction === 'right'
  // Written for a loop below; beside, the two axes change places.
  const turned = (x: number, y: number): Point => (isRight ? { x, y } : { x: y, y: x })
  const [middle, edge] = isRight ? [box.x, box.y + box.height / 2] : [box.y, box.x + box.width / 2]
  const depth = isRight ? label.y - plate.height / 2 - edge : label.x - plate.width / 2 - edge
  // A curve comes three quarters as far as its control points.
  const reach = (depth - width / 2) / 0.75
  const half = 13 + width / 2
  const end = turned(middle - half, edge)
  const way = turned(0, -1)
  const points = [
    turned(middle + half, edge),
    turned(middle + half * 1.5, edge + reach),
    turned(middle - half * 1.5, edge + reach),
    neckOf(end, way, width),
  ].map(({ x, y }) => `${x},${y}`)
  return {
    body: `M${points[0]}C${points.slice(1).join(' ')}`,
    head: headOf(end, way, width),
    label,
  }
}

function neckOf(end: Point, way: Point, width: number): Point {
  const long = 7 + width * 0.7
  return { x: end.x - way.x * long, y: end.y - way.y * long }
}

function headOf(end: Point, way: Point, width: number): string {
  const neck = neckOf(end, way, width)
  const half = 3.5 + width * 0.72
  return (
    `M${end.x},${end.y}L${neck.x - way.y * half},${neck.y + way.x * half}` +
    `L${neck.x + way.y * half},${neck.y - way.x * half}Z`
  )
}
