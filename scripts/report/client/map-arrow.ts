/** A line of the map: smooth, with a head that grows with its width. */

import { curveBasis, line } from 'd3-shape'
import type { Point } from './layout.ts'

const smooth = line<Point>(
  ({ x }) => x,
  ({ y }) => y,
).curve(curveBasis)

/** A line and its head; the line ends where the head begins. */
export function arrow(points: Point[], width: number): [body: string, head: string] {
  const end = points.at(-1)
  const before = points.at(-2)
  if (end === undefined || before === undefined) return ['', '']
  const length = Math.hypot(end.x - before.x, end.y - before.y) || 1
  const [dx, dy] = [(end.x - before.x) / length, (end.y - before.y) / length]
  const long = 7 + width * 0.7
  const half = 3.5 + width * 0.72
  const neck = { x: end.x - dx * long, y: end.y - dy * long }
  const body = smooth([...points.slice(0, -1), neck]) ?? ''
  const head =
    `M${end.x},${end.y}L${neck.x - dy * half},${neck.y + dx * half}` +
    `L${neck.x + dy * half},${neck.y - dx * half}Z`
  return [body, head]
}
