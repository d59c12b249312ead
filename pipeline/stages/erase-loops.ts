/**
 * Loop erasure: the path of a track is the states since its start without cycles. Entering a state
 * that is on the path closes one cycle and removes it from the path.
 */

import type { TrackState } from './instance.ts'
import type { Facts } from './journey-facts.ts'

/** Adds state `to`, entered by transition `fact`, to the path of a track. Adds the cycle that it
 * closes, if any, to `cycles`. `at` is in microseconds. */
export function extendPath(
  track: TrackState,
  to: number,
  at: number,
  fact: number,
  cycles: Facts['cycles'],
): void {
  const from = track.path.indexOf(to)
  if (from < 0) {
    // Paths are short and kept, and a push would reserve room for more.
    track.path = [...track.path, to]
    track.pathAt = [...track.pathAt, at]
    return
  }
  cycles.closedBy.push(fact)
  cycles.number.push((track.cycles += 1))
  cycles.startedAt.push(track.pathAt[from] as number)
  for (let i = from; i < track.path.length; i++) cycles.states.push(track.path[i] as number)
  cycles.states.push(to)
  cycles.statesEnd.push(cycles.states.length)
  while (track.path.length > from + 1) {
    track.path.pop()
    track.pathAt.pop()
  }
  track.pathAt[from] = at
}
