/**
 * Outcomes of final states: who arrives there has converted, is lost, or is neither. They change
 * no row of the fold, so they are outside the content that a released version may not change.
 */

import { tracksOf, type Journey, type State, type Track } from './journey.ts'

export const OUTCOMES = ['success', 'failure', 'neutral'] as const

export type Outcome = (typeof OUTCOMES)[number]

/** A final state of a version of a journey, with its outcome. */
export type FinalState = {
  journey: string
  version: number
  track: string
  state: string
  outcome: Outcome
}

/**
 * Returns the final states of a journey. In a track that declares no outcome all are successes; in
 * a track that declares one, those without are neutral.
 */
export function finalStatesOf(journey: Journey): FinalState[] {
  const { id, version } = journey
  return tracksOf(journey).flatMap(([track, { states }]) => {
    const isDeclared = Object.values(states).some(({ outcome }) => outcome !== undefined)
    return Object.entries(states)
      .filter(([, { type }]) => type === 'final')
      .map(([state, { outcome = isDeclared ? 'neutral' : 'success' }]) => ({
        journey: id,
        version,
        track,
        state,
        outcome,
      }))
  })
}

/** Returns the journey as it is released: the same except for the outcomes. */
export function withoutOutcomes(journey: Journey): Journey {
  if (journey.type !== 'parallel') return { ...journey, ...plain(journey) }
  const tracks = Object.entries(journey.states)
  return { ...journey, states: Object.fromEntries(tracks.map(([name, one]) => [name, plain(one)])) }
}

function plain(track: Track): Track {
  const states = Object.entries(track.states).map(([name, state]): [string, State] => {
    const { outcome: _outcome, ...rest } = state
    return [name, rest]
  })
  return { ...track, states: Object.fromEntries(states) }
}
