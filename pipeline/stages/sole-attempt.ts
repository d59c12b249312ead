/** The attempt of a profile at a funnel with other semantics than ours: it is the only one. */

import type { Attempt } from './funnel-facts.ts'
import { EVENT } from './journey-facts.ts'

/** Event that is the entry of an attempt. */
type Entry = Pick<Attempt, 'eventId' | 'at' | 'ordinal' | 'source' | 'sessionId'>

/** Returns an open attempt, whose key is empty. `reached` are 0-based steps in order. */
export function soleAttempt(entry: Entry, reached: number[]): Attempt {
  const { eventId, at, ordinal, source, sessionId } = entry
  return {
    key: '',
    scope: '',
    held: '',
    eventId,
    at,
    ordinal,
    cause: EVENT,
    source,
    sessionId,
    reached,
    anchorAt: at,
    isOnRecord: false,
    ended: null,
    tie: 0,
    servedBy: [],
  }
}

type Chain = { served: readonly { key: string }[] }

/** Returns whether two chains consist of the same events. */
export function isSameChain(a: Chain, b: Chain): boolean {
  if (a.served.length !== b.served.length) return false
  return a.served.every(({ key }, i) => key === b.served[i]?.key)
}
