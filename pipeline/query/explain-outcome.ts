/** What happened in a journey at an event or a deadline, as a story tells it. */

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

/** Whether no event made it, but time. */
export const isOfTime = ({ kind }: Pick<Outcome, 'kind'>): boolean =>
  kind === 'timeout' || kind === 'spent'
