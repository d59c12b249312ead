/** Shares and their uncertainty, by the formulas of the textbooks. */

import type { Row } from '../../pipeline/warehouse/warehouse.ts'

/** A share as the views round it. */
export const ninePlaces = (share: number) => Math.round(share * 1e9) / 1e9

/** The share of `converted` in `matured`, with Wilson's interval; null: there is no window. */
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

/** A stay, or an open one: `hasLeft` is false. */
export type Exit = { age: number; hasLeft: boolean }
export type Survival = { age: number; atRisk: number; left: number; share: number }

/** The curve of Kaplan and Meier, age by age, at the ages at which somebody left. */
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

/** The age by which so many tenths have left; null where the curve does not get there. */
export function ageBy(tenths: number, exits: readonly Exit[]): number | null {
  return survivalOf(exits).find(({ share }) => share <= (10 - tenths) / 10)?.age ?? null
}
