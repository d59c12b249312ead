/**
 * Layered layout of the map. The order of the states is their definition's: a way to an earlier
 * state is reversed for the layout, so that what leads on always points on. Common ways have more
 * weight: they become short and straight, and rare ones bend around them.
 */

import dagre from '@dagrejs/dagre'
import { spreadEnds } from './layout-ends.ts'

export type Direction = 'right' | 'down'

export type Box = { name: string; width: number; height: number }

export type Line = {
  key: string
  from: string
  to: string
  label: { width: number; height: number }
  /** Pixels across. */
  thickness: number
  /** 1 for the rarest to 10 for the commonest. */
  weight: number
}

export type Point = { x: number; y: number }

/** `label` is the centre of the label, beside the line. */
export type PlacedLine = { points: Point[]; label: Point }

export type Placed = {
  direction: Direction
  width: number
  height: number
  boxes: Map<string, Point>
  lines: Map<string, PlacedLine>
}

const MARGIN = 12
/** Between a line and its label. */
const GAP = 2
/** States without a line stand in columns of so many. */
const COLUMN = 5
const TIE = 'tie'
/** Between two layers of a map that runs right. */
const RANK_RIGHT = 44

/** Boxes are in the order in which people are meant to pass them. */
export function place(boxes: Box[], lines: Line[], direction: Direction): Placed {
  const isRight = direction === 'right'
  const graph = new dagre.graphlib.Graph({ multigraph: true })
  graph.setGraph({
    rankdir: isRight ? 'LR' : 'TB',
    nodesep: isRight ? 26 : 28,
    ranksep: isRight ? RANK_RIGHT : 40,
    edgesep: 12,
    marginx: MARGIN,
    marginy: MARGIN,
  })
  const rank = new Map(boxes.map(({ name }, i) => [name, i]))
  const isBack = ({ from, to }: Line) => (rank.get(to) ?? 0) < (rank.get(from) ?? 0)
  const endsOf = (line: Line) =>
    isBack(line) ? ([line.to, line.from] as const) : ([line.from, line.to] as const)
  for (const { name, width, height } of boxes) graph.setNode(name, { width, height })
  for (const line of lines) {
    const beside = line.thickness + GAP
    const width = line.label.width + (isRight ? 0 : beside)
    const height = line.label.height + (isRight ? beside : 0)
    const edge = { width, height, weight: line.weight, labelpos: 'c' as const }
    graph.setEdge(...endsOf(line), edge, line.key)
  }
  for (const [from, to] of ties(boxes, lines).toReversed())
    graph.setEdge(from, to, { weight: 0 }, TIE)
  dagre.layout(graph)
  const placed: Placed = {
    direction,
    width: graph.graph().width ?? 0,
    height: graph.graph().height ?? 0,
    boxes: new Map(),
    lines: new Map(),
  }
  for (const { name } of boxes) {
    const { x = 0, y = 0 } = graph.node(name)
    placed.boxes.set(name, { x, y })
  }
  const forward = new Map<Line, PlacedLine>()
  for (const line of lines) {
    const { points = [], x = 0, y = 0 } = graph.edge(...endsOf(line), line.key)
    forward.set(line, beside(line, points, { x, y }, direction))
  }
  spreadEnds(
    boxes,
    placed.boxes,
    [...forward].map(([line, at]) => ({
      ...at,
      ends: endsOf(line),
      thickness: line.thickness,
    })),
    direction,
  )
  for (const [line, { points, label }] of forward) {
    placed.lines.set(line.key, { points: isBack(line) ? points.toReversed() : points, label })
  }
  return placed
}

/** Returns about the width that the layout would have rightwards: by layer the widest box, and
 * before it the widest label. */
export function widthRightwards(boxes: Box[], lines: Line[]): number {
  const rank = new Map(boxes.map(({ name }, i) => [name, i]))
  const layers = new Map(boxes.map(({ name }) => [name, 0]))
  const on = lines.filter(({ from, to }) => (rank.get(from) ?? 0) < (rank.get(to) ?? 0))
  for (const { name } of boxes) {
    for (const { from, to } of on) {
      if (from === name) layers.set(to, Math.max(layers.get(to) ?? 0, (layers.get(from) ?? 0) + 1))
    }
  }
  const widths: number[] = []
  const widen = (layer: number, width: number) =>
    (widths[layer] = Math.max(widths[layer] ?? 0, width))
  for (const { name, width } of boxes) widen(2 * (layers.get(name) ?? 0), width)
  for (const { to, label } of on) widen(2 * (layers.get(to) ?? 0) - 1, label.width + RANK_RIGHT)
  return widths.reduce((total, width) => total + width, 2 * MARGIN)
}

/** Moves the label to one side of the line, and makes the line straight along it. */
function beside(
  { from, to, label, thickness }: Line,
  points: Point[],
  at: Point,
  direction: Direction,
): PlacedLine {
  const isRight = direction === 'right'
  if (from === to) {
    const by = (thickness + GAP) / 2
    return { points, label: isRight ? { x: at.x, y: at.y + by } : { x: at.x + by, y: at.y } }
  }
  const half = (isRight ? label.height : label.width) / 2 + GAP / 2
  const along = (isRight ? label.width : label.height) / 2
  const middle = isRight ? { x: at.x, y: at.y + half } : { x: at.x - half, y: at.y }
  const ends = [-along, along].map((by) =>
    isRight ? { x: middle.x + by, y: middle.y } : { x: middle.x, y: middle.y + by },
  )
  const isMiddle = ({ x, y }: Point) => Math.abs(x - at.x) < 0.5 && Math.abs(y - at.y) < 0.5
  const shift = (thickness + GAP) / 2
  return {
    points: points.flatMap((point) => (isMiddle(point) ? ends : [point])),
    label: isRight ? { x: at.x, y: at.y - shift } : { x: at.x + shift, y: at.y },
  }
}

/** States without a line follow the last one that has a line, in columns. */
function ties(boxes: Box[], lines: Line[]): [from: string, to: string][] {
  const ends = new Set(
    lines.filter(({ from, to }) => from !== to).flatMap(({ from, to }) => [from, to]),
  )
  const alone = boxes.filter(({ name }) => !ends.has(name))
  const before = boxes.findLast(({ name }) => ends.has(name))
  return alone.flatMap(({ name }, i): [string, string][] => {
    const from = alone[i - COLUMN] ?? before
    return from === undefined ? [] : [[from.name, name]]
  })
}
