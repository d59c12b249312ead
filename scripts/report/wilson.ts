/** Wilson's interval, by the formula of `funnel_conversion`. */

/** Square of the 97.5 % quantile of the normal distribution, its half, its quarter, and its root. */
const Z_SQUARED = 3.8414588206941254
const HALF = 1.9207294103470627
const QUARTER = 0.9603647051735313
const Z = 1.959963984540054

const ninePlaces = (value: number): number => Math.round(value * 1e9) / 1e9

/** The 95 % interval of a rate, to nine places; null without units. */
export function wilson(
  converted: number,
  count: number,
): { low: number; high: number } | { low: null; high: null } {
  if (count === 0) return { low: null, high: null }
  const middle = converted + HALF
  const reach = Z * Math.sqrt((converted * (count - converted)) / count + QUARTER)
  return {
    low: converted === 0 ? 0 : ninePlaces((middle - reach) / (count + Z_SQUARED)),
    high: converted === count ? 1 : ninePlaces((middle + reach) / (count + Z_SQUARED)),
  }
}
