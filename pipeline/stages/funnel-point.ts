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
  steps: number[]
  /** Exclusions it matches. */
  exclusions: number[]
}

/** Returns pairs of points and their steps, by step, then in event order. */
export function inStepOrder(points: readonly Point[]): [step: number, point: Point][] {
  const pairs = points.flatMap((point) => point.steps.map((step): [number, Point] => [step, point]))
  return pairs.sort((a, b) => a[0] - b[0])
}
