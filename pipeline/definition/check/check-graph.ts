/** Static checks of the machine as a graph: states without a way in or out, and timeout loops. */

import type { Problems } from './problems.ts'
import type { Candidates, State, Track } from '../journey.ts'

/** Checks the graph of a track. Its parts must have passed their checks. */
export function checkGraph(problems: Problems, name: string, track: Track): void {
  const at = name === 'main' ? '' : `track ${name}, `
  const reached = reachable(track)
  for (const [state, definition] of Object.entries(track.states)) {
    const where = `${at}state ${state}`
    if (!reached.has(state)) {
      problems.add(
        where,
        'no transition leads to it; add a transition from a reachable state, or remove it',
      )
    }
    if (definition.type === 'final') continue
    if (waysOut(track, definition).every((target) => target === state)) {
      problems.add(where, "no transition leads to another state; add one, or set type: 'final'")
    }
    if (waitsInCircles(track, state)) {
      problems.add(where, 'timeouts alone lead back to it; break the loop with an event')
    }
  }
}

function targetsOf(lists: Iterable<Candidates>): string[] {
  return [...lists].flatMap((list) =>
    (Array.isArray(list) ? list : [list]).map((candidate) =>
      typeof candidate === 'string' ? candidate : candidate.target,
    ),
  )
}

/** Returns the targets of a state's `on` and `after`, and of the root's `on` unless the state masks
 * it. */
function waysOut(track: Track, state: State): string[] {
  const unmasked = Object.entries(track.on ?? {}).filter(
    ([event]) => !Object.hasOwn(state.on ?? {}, event) && !state.ignore?.includes(event),
  )
  return targetsOf([
    ...Object.values(state.on ?? {}),
    ...Object.values(state.after ?? {}),
    ...unmasked.map(([, list]) => list),
  ])
}

function reachable(track: Track): Set<string> {
  const reached = new Set([track.initial])
  for (const state of reached) {
    const definition = track.states[state]
    if (definition === undefined || definition.type === 'final') continue
    for (const target of waysOut(track, definition)) reached.add(target)
  }
  return reached
}

function waitsInCircles(track: Track, from: string): boolean {
  const waited = new Set(targetsOf(Object.values(track.states[from]?.after ?? {})))
  for (const state of waited) {
    for (const target of targetsOf(Object.values(track.states[state]?.after ?? {}))) {
      waited.add(target)
    }
  }
  return waited.has(from)
}
