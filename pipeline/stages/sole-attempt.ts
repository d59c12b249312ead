/** The attempt of a profile at a funnel with other semantics than ours: it is the only one. */

import { newAttempt, type Attempt, type Entry } from './funnel-facts.ts'
import { EVENT } from './journey-facts.ts'

const WHOLE_PROFILE = { scope: '', held: '', cause: EVENT }

/** Returns an open attempt, whose key is empty. `reached` are 0-based steps in order. */
export function soleAttempt(entry: Omit<Entry, 'key'>, reached: number[]): Attempt {
  return newAttempt({ ...entry, key: '' }, WHOLE_PROFILE, reached)
}

type Chain = { served: readonly { key: string }[] }

/** Attempt as it was written; `ended`: null while it is pending. */
export type RecordedAttempt<C extends Chain> = { chain: C; ended: Attempt['ended'] }

/** Returns whether two attempts consist of the same events and ended alike. */
export function isSameAttempt<C extends Chain>(
  a: RecordedAttempt<C>,
  b: RecordedAttempt<C>,
): boolean {
  if (a.ended?.because !== b.ended?.because || a.ended?.at !== b.ended?.at) return false
  if (a.chain.served.length !== b.chain.served.length) return false
  return a.chain.served.every(({ key }, i) => key === b.chain.served[i]?.key)
}
