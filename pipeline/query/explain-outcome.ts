/** Outcome of an event or a deadline in a journey, as `explain` reports it. */

import type { Tried } from '../stages/trace-fold.ts'

export type Outcome = {
  journey: string
  instanceId: string
  kind: 'started' | 'moved' | 'refused' | 'ignored' | 'timeout' | 'spent'
  track: string
  /** Microseconds. */
  at: number
  from: string | null
  to: string | null
  tried: Tried[]
}

/** Whether a timeout caused the outcome. */
export const isOfTime = ({ kind }: Pick<Outcome, 'kind'>): boolean =>
  kind === 'timeout' || kind === 'spent'
