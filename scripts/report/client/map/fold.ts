/**
 * Folds a tall layout into columns, read from left to right, where that makes the map larger. Lines
 * from one column to the next run through the gutter between both.
 */

import type { Box, Line, Placed, PlacedLine, Point } from './layout.ts'

const COLUMNS_MAX = 8
/** A fold must make the map larger by so much, because it is harder to follow. */
const GAIN_MIN = 1.4
const GUTTER = 28
const LANE = 6
/** Above the boxes of a layer, where a column is cut; the labels of lines to it are higher. */
const ABOVE = 8
const MARGIN = 12
/** Room for the wide invisible line that can be clicked, around the outermost one. */
const EDGE = 30

type Size = { width: number; height: number }
type Column = { top: number; bottom: number }

/** Returns the layout in as many columns as make it largest in a room of this size. */
export function folded(placed: Placed, boxes: Box[], lines: Line[], room: Size): Placed {
  const scaleOf = ({ width, height }: Size) => Math.min(room.width / width, room.height / height, 1)
  const layers = layersOf(placed, boxes)
  let best = { columns: [] as Column[], scale: scaleOf(placed) * GAIN_MIN }
  for (let count = 2; count <= Math.min(COLUMNS_MAX, layers.length); count++) {
    const columns = cut(layers, count, placed.height)
    const height = Math.max(...columns.map(({ top, bottom }) => bottom - top))
    const scale = scaleOf({
      width: count * (placed.width + 2 * GUTTER),
      height: height + 2 * GUTTER,
    })
    if (scale > best.scale) best = { columns, scale }
  }
  return best.columns.length === 0 ? placed : new Fold(placed, lines, best.columns).placed()
}

/** The upper edge of each layer of boxes, from the top. */
function layersOf({ boxes: centres }: Placed, boxes: Box[]): number[] {
  const tops = new Map<number, number>()
  for (const { name, height } of boxes) {
    const { y } = centres.get(name) ?? { y: 0 }
    tops.set(y, Math.min(tops.get(y) ?? y, y - height / 2))
  }
  return [...tops].sort(([a], [b]) => a - b).map(([, top]) => top - ABOVE)
}

/** Columns of about the same height. */
function cut(layers: number[], count: number, height: number): Column[] {
  const columns: Column[] = []
  let top = 0
  for (let i = 1; i < count; i++) {
    const wanted = (height * i) / count
    const cutAt = layers.reduce((a, b) => (Math.abs(b - wanted) < Math.abs(a - wanted) ? b : a))
    if (cutAt <= top) continue
    columns.push({ top, bottom: cutAt })
    top = cutAt
  }
  return [...columns, { top, bottom: height }]
}

class Fold {
  readonly #old: Placed
  readonly #lines: Line[]
  readonly #columns: Column[]
  /** Lines through the gutter behind each column so far, as pixels. */
  readonly #lanes: number[]
  readonly #room: number
  /** Above and below the boxes. */
  readonly #above: number
  readonly #height: number

  constructor(old: Placed, lines: Line[], columns: Column[]) {
    this.#old = old
    this.#lines = lines
    this.#columns = columns
    const needed = columns
      .slice(1)
      .map((column) =>
        lines
          .filter(({ key }) => isAcross(old.lines.get(key)?.points ?? [], column.top))
          .reduce((total, { thickness }) => total + thickness + LANE, 0),
      )
    this.#room = Math.max(GUTTER, ...needed)
    this.#above = this.#room + EDGE
    this.#height = Math.max(...columns.map(({ top, bottom }) => bottom - top))
    this.#lanes = columns.map(() => 0)
  }

  placed(): Placed {
    const { boxes } = this.#old
    return {
      direction: this.#old.direction,
      width: this.#columns.length * this.#pitch - this.#room + 2 * MARGIN,
      height: this.#height + 2 * this.#above,
      boxes: new Map([...boxes].map(([name, at]) => [name, this.#moved(at, this.#columnOf(at))])),
      lines: new Map(this.#lines.map((line) => [line.key, this.#lineOf(line)])),
    }
  }

  get #pitch(): number {
    return this.#old.width + this.#room
  }

  #columnOf({ y }: Point): number {
    return this.#columns.findIndex(({ bottom }) => y <= bottom)
  }

  #moved({ x, y }: Point, column: number): Point {
    const { top } = this.#columns[column] ?? { top: 0 }
    return { x: x + column * this.#pitch, y: y - top + this.#above }
  }

  #lineOf(line: Line): PlacedLine {
    const { points, label } = this.#old.lines.get(line.key) ?? { points: [], label: { x: 0, y: 0 } }
    if (line.from === line.to) {
      const column = this.#columnOf(this.#old.boxes.get(line.from) ?? label)
      return { points, label: this.#moved(label, column) }
    }
    const folded = points.flatMap((point, i): Point[] => {
      const before = points[i - 1]
      const own = this.#moved(point, this.#columnOf(point))
      return before === undefined ? [own] : [...this.#between(before, point, line), own]
    })
    return { points: folded, label: this.#moved(label, this.#columnOf(label)) }
  }

  /** Through each gutter between two points. */
  #between(from: Point, to: Point, { thickness }: Line): Point[] {
    const [a, b] = [this.#columnOf(from), this.#columnOf(to)]
    if (a === b) return []
    const step = Math.sign(b - a)
    const points: Point[] = []
    for (let column = a; column !== b; column += step) {
      const left = Math.min(column, column + step)
      const lane = (this.#lanes[left] ?? 0) + (thickness + LANE) / 2
      this.#lanes[left] = (this.#lanes[left] ?? 0) + thickness + LANE
      const { top: first, bottom: last } = this.#columns[left] as Column
      const [top, bottom] = [this.#above - lane, this.#above + last - first + lane]
      const gutter = left * this.#pitch + this.#old.width + lane
      const [start, end] = step > 0 ? [bottom, top] : [top, bottom]
      points.push(
        { x: (column === a ? from.x : to.x) + column * this.#pitch, y: start },
        { x: gutter, y: start },
        { x: gutter, y: end },
        { x: to.x + (column + step) * this.#pitch, y: end },
      )
    }
    return points
  }
}

const isAcross = (points: Point[], y: number): boolean =>
  points.some((point) => point.y <= y) && points.some((point) => point.y > y)
