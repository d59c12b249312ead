/**
 * Where the states of a map stand and which way the lines run. The order of the states is their
 * definition's; a way to an earlier state runs back, and lies the same way round in the layers, so
 * that what leads on always points on.
 */

import dagre from '@dagrejs/dagre'

export type Direction = 'right' | 'down'

export type Box = { name: string; width: number; height: number }

export type Line = {
  key: string
  from: string
  to: string
  label: { width: number; height: number }
}

export type Point = { x: number; y: number }

export type Placed = {
  direction: Direction
  width: number
  height: number
  boxes: Map<string, Point>
  lines: Map<string, { points: Point[]; label: Point }>
}

const MARGIN = 12

/** Boxes are in the order in which people are meant to pass them. */
export function place(boxes: Box[], lines: Line[], direction: Direction): Placed {
  const graph = new dagre.graphlib.Graph({ multigraph: true })
  graph.setGraph({
    rankdir: direction === 'right' ? 'LR' : 'TB',
    nodesep: direction === 'right' ? 40 : 28,
    ranksep: direction === 'right' ? 44 : 36,
    edgesep: 22,
    marginx: MARGIN,
    marginy: MARGIN,
  })
  const rank = new Map(boxes.map(({ name }, i) => [name, i]))
  const isBack = ({ from, to }: Line) => (rank.get(to) ?? 0) < (rank.get(from) ?? 0)
  for (const { name, width, height } of boxes) graph.setNode(name, { width, height })
  for (const line of lines) {
    const [tail, head] = isBack(line) ? [line.to, line.from] : [line.from, line.to]
    graph.setEdge(tail, head, { ...line.label, labelpos: 'c' }, line.key)
  }
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
  for (const line of lines) {
    const [tail, head] = isBack(line) ? [line.to, line.from] : [line.from, line.to]
    const { points = [], x = 0, y = 0 } = graph.edge(tail, head, line.key)
    const walked = isBack(line) ? [...points].reverse() : points
    placed.lines.set(line.key, { points: walked, label: { x, y } })
  }
  return placed
}
