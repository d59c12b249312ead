/** The difference of two rates, and its 95 % interval. */

import type { MaturedPart } from './document.ts'

export type Difference = { change: number; low: number; high: number }

/** Returns `to` less `from`, by Newcombe's interval from both Wilson intervals; null if either rate is
 * not known. */
export function differenceOf(from: MaturedPart | null, to: MaturedPart | null): Difference | null {
  const [a, b] = [bounds(from), bounds(to)]
  if (a === null || b === null) return null
  const change = b.rate - a.rate
  return {
    change,
    low: change - Math.hypot(b.rate - b.low, a.high - a.rate),
    high: change + Math.hypot(b.high - b.rate, a.rate - a.low),
  }
}

function bounds(matured: MaturedPart | null): { rate: number; low: number; high: number } | null {
  if (matured === null) return null
  const { rate, low, high } = matured
  return rate === null || low === null || high === null ? null : { rate, low, high }
}
