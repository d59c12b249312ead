/** How far an attempt is, and until when it can go on. */

import type { CompiledFunnel } from '../definition/compile-funnel.ts'
import type { Attempt } from './funnel-facts.ts'

/** Returns the 1-based number of the deepest step; in any order, the number of steps reached. */
export function depthOf({ order }: CompiledFunnel, reached: readonly number[]): number {
  return order === 'any' ? reached.length : (reached[reached.length - 1] as number) + 1
}

/** Returns the last instant at which an open attempt can reach its next step. */
export function deadlineOf(funnel: CompiledFunnel, attempt: Attempt): number {
  const { steps, windowUs, order } = funnel
  const whole = attempt.at + windowUs
  if (order === 'any') return whole
  let next = (attempt.reached[attempt.reached.length - 1] as number) + 1
  while (steps[next]?.isOptional === true) next += 1
  return Math.min(whole, attempt.anchorAt + (steps[next]?.withinUs ?? Infinity))
}
