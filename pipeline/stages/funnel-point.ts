/** Event, or entered state, as funnels read it. */

export type Point = {
  /** Unique within its scope. */
  key: string
  scope: string
  held: string
  at: number
  ordinal: number
  /** How the state was entered (see `CAUSES`); for an event, that of an event. */
  cause: number
  eventId: string | null
  source: string | null
  sessionId: string | null
  /** Steps it matches, ascending. */
  steps: readonly number[]
  /** Exclusions it matches. */
  exclusions: readonly number[]
}

function newPoint(): Point {
  return {
    key: '',
    scope: '',
    held: '',
    at: 0,
    ordinal: 0,
    cause: 0,
    eventId: null,
    source: null,
    sessionId: null,
    steps: [],
    exclusions: [],
  }
}

/** Points that tie. They are reused: a stage must not keep one. */
export class Tie {
  readonly #points: Point[] = []
  /** The first point alone. */
  readonly #first: Point[] = []
  #count = 0

  /** Number of points. */
  get count(): number {
    return this.#count
  }

  /** First point, if there is one. */
  get first(): Point {
    return this.#points[0] as Point
  }

  /** Returns the point after the others. It is not one of them before `add`. */
  next(): Point {
    if (this.#points.length === this.#count) this.#points.push(newPoint())
    return this.#points[this.#count] as Point
  }

  /** Adds the point that `next` returned. */
  add(): void {
    this.#count += 1
  }

  /** Removes the points and returns them. The point that `next` returned stays the next one. */
  take(): readonly Point[] {
    const points = this.#points
    const count = this.#count
    this.#count = 0
    if (count > 1) {
      const taken = points.splice(0, count)
      return taken
    }
    this.#first[0] = points[0] as Point
    const next = points[1]
    if (next !== undefined) {
      points[1] = points[0] as Point
      points[0] = next
    }
    return this.#first
  }
}

/** Returns pairs of points and their steps, by step, then in event order. */
export function inStepOrder(points: readonly Point[]): [step: number, point: Point][] {
  const pairs = points.flatMap((point) => point.steps.map((step): [number, Point] => [step, point]))
  return pairs.sort((a, b) => a[0] - b[0])
}
