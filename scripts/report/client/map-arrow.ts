/** The lines of the map: smooth, with a head that grows with the width, and a number on them. */

import { curveMonotoneX, curveMonotoneY, line } from 'd3-shape'
import { svg } from './element.ts'
import type { Direction, Point } from './layout.ts'

/** Line, filled arrow head, and position of the number. */
export type Arrow = { body: string; head: string; label: Point }

const LOOP_DEPTH = 42

const through = line<Point>(
  ({ x }) => x,
  ({ y }) => y,
)

/** The line ends where the head begins. */
export function arrow(points: Point[], label: Point, width: number, direction: Direction): Arrow {
  const end = points.at(-1)
  const before = points.at(-2)
  if (end === undefined || before === undefined) return { body: '', head: '', label }
  const length = Math.hypot(end.x - before.x, end.y - before.y) || 1
  const way = { x: (end.x - before.x) / length, y: (end.y - before.y) / length }
  const curved = through.curve(direction === 'right' ? curveMonotoneX : curveMonotoneY)
  const body = curved([...points.slice(0, -1), neckOf(end, way, width)]) ?? ''
  return { body, head: headOf(end, way, width), label }
}

type Box = { x: number; y: number; width: number; height: number }

/** Out of a side of a box and into it again: below where the map runs right, else beside it. */
export function loop(box: Box, width: number, direction: Direction): Arrow {
  // Written for a loop below; beside, the two axes change places.
  const turned = (x: number, y: number): Point =>
    direction === 'right' ? { x, y } : { x: y, y: x }
  const [middle, edge] =
    direction === 'right' ? [box.x, box.y + box.height / 2] : [box.y, box.x + box.width / 2]
  const half = 15 + width / 2
  const end = turned(middle - half, edge)
  const way = turned(0, -1)
  const points = [
    turned(middle + half, edge),
    turned(middle + half * 1.7, edge + LOOP_DEPTH * 1.3),
    turned(middle - half * 1.7, edge + LOOP_DEPTH * 1.3),
    neckOf(end, way, width),
  ].map(({ x, y }) => `${x},${y}`)
  return {
    body: `M${points[0]}C${points.slice(1).join(' ')}`,
    head: headOf(end, way, width),
    label: turned(middle, edge + LOOP_DEPTH),
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

export function labelSize(text: string): { width: number; height: number } {
  return { width: 10 + 7 * text.length, height: 18 }
}

/** A number that can be read on any line. */
export function label(text: string, { x, y }: Point): SVGElement[] {
  const { width, height } = labelSize(text)
  return [
    svg('rect', {
      class: 'way-plate',
      x: x - width / 2,
      y: y - height / 2,
      width,
      height,
      rx: height / 2,
    }),
    svg('text', { class: 'way-label', x, y: y + 4 }, text),
  ]
}
