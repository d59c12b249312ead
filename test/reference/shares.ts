/** Shares and their uncertainty, by textbook formulas. */

import type { Row } from '../../pipeline/warehouse/warehouse.ts'

/** Rounds a share like the views. */
export const ninePlaces = (share: number) => Math.round(share * 1e9) / 1e9

/** Returns the share of `converted` in `matured` with Wilson's interval; null without a window. */
export function rates(matured: number | null, converted: number | null, isFirst = false): Row {
  const counts = { matured_count: matured, matured_converted_count: converted }
  if (matured === null || converted === null || matured === 0 || isFirst) {
    return { ...counts, matured_rate: null, matured_rate_low: null, matured_rate_high: null }
  }
  const z = 1.959963984540054
  const p = converted / matured
  const middle = (p + z ** 2 / (2 * matured)) / (1 + z ** 2 / matured)
  const half =
    (z / (1 + z ** 2 / matured)) * Math.sqrt((p * (1 - p)) / matured + (z / (2 * matured)) ** 2)
  return {
    ...counts,
    matured_rate: p,
    matured_rate_low: ninePlaces(Math.max(0, middle - half)),
    matured_rate_high: ninePlaces(Math.min(1, middle + half)),
  }
}

/** Stay; `hasLeft` is false for an open one. */
export type Exit = { age: number; hasLeft: boolean }
export type Survival = { age: number; atRisk: number; left: number; share: number }

/** Returns the Kaplan–Meier curve at the ages at which someone left. */
export function survivalOf(exits: readonly Exit[]): Survival[] {
  const curve: Survival[] = []
  let share = 1
  const ages = [...new Set(exits.map(({ age }) => age))].toSorted((a, b) => a - b)
  for (const age of ages) {
    const atRisk = exits.filter((exit) => exit.age >= age).length
    const left = exits.filter((exit) => exit.age === age && exit.hasLeft).length
    if (left === 0) continue
    share *= (atRisk - left) / atRisk
    curve.push({ age, atRisk, left, share: ninePlaces(share) })
  }
  return curve
}

/** Returns the age by which so many tenths have left; null if the curve does not get there. */
export function ageBy(tenths: number, exits: readonly Exit[]): number | null {
  return survivalOf(exits).find(({ share }) => share <= (10 - tenths) / 10)?.age ?? null
}
