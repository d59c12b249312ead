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
