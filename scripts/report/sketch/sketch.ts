/**
 * Sketches of durations: counts by buckets whose bounds grow by a fixed factor (DDSketch, Masson
 * et al. 2019). Counts of days and sources add up, so quantiles and survival curves of any choice
 * are worked out from them, with a known relative error.
 */

import type { AgePoint } from '../document.ts'

/** Relative error of an age at level 0. Each level merges pairs of buckets. */
const ERROR = 0.05
export const LEVEL_MAX = 2
const GROWTH = (1 + ERROR) / (1 - ERROR)

/** Buckets of one level, by number: `left` ended in it, `open` are that old and have not ended. */
export type Histogram = Map<number, { left: number; open: number }>

/** An age in milliseconds, and how far it may be from the true one, as a share of that. */
export type Age = { ms: number; error: number }

/** Returns the bucket of a duration in milliseconds, as SQL that both engines read. */
export function bucketSql(ms: string, level: number): string {
  return `cast(floor(ln(greatest(${ms}, 1)) * ${1 / Math.log(growthOf(level))}) as int64)`
}

/** Returns the relative error of a quantile that is known to lie in one bucket. */
export function errorOf(level: number): number {
  const growth = growthOf(level)
  return (growth - 1) / (growth + 1)
}

const growthOf = (level: number): number => GROWTH ** (2 ** level)

/** Returns the age with the least relative error between the bounds of two buckets. */
function between(first: number, last: number, level: number): Age {
  const growth = growthOf(level)
  const [low, high] = [growth ** first, growth ** (last + 1)]
  return { ms: Math.round((2 * low * high) / (low + high)), error: (high - low) / (high + low) }
}

const inOrder = <Counts>(buckets: Map<number, Counts>) => [...buckets].sort(([a], [b]) => a - b)

/** Returns the nearest-rank quantile of what ended, `tenths` of ten; null if nothing did. */
export function quantileOf(histogram: Histogram, tenths: number, level: number): number | null {
  const buckets = inOrder(histogram)
  const all = buckets.reduce((total, [, { left }]) => total + left, 0)
  let sum = 0
  const found = buckets.find(([, { left }]) => (sum += left) > 0 && 10 * sum >= tenths * all)
  return found === undefined ? null : between(found[0], found[0], level).ms
}

type Risk = { bucket: number; atRisk: number; left: number; open: number }

function risksOf(histogram: Histogram): Risk[] {
  const buckets = inOrder(histogram)
  let atRisk = buckets.reduce((total, [, { left, open }]) => total + left + open, 0)
  return buckets.map(([bucket, { left, open }]) => {
    const risk = { bucket, atRisk, left, open }
    atRisk -= left + open
    return risk
  })
}

/**
 * Returns the age by which `tenths` of ten have left, by the survival curve of Kaplan and Meier;
 * null if the curve does not get there for sure. Within a bucket the order of stays that end and
 * of open ones is not known: one bound of the curve takes the first first, the other the second.
 */
export function ageReached(histogram: Histogram, tenths: number, level: number): Age | null {
  const most = 1 - tenths / 10
  let [high, low] = [1, 1]
  let [first, last] = [null as number | null, null as number | null]
  for (const { bucket, atRisk, left, open } of risksOf(histogram)) {
    if (left > 0) {
      high *= 1 - left / atRisk
      low *= Math.max(0, 1 - left / (atRisk - open))
    }
    if (first === null && atMost(low, most)) first = bucket
    if (last === null && atMost(high, most)) last = bucket
  }
  return first === null || last === null ? null : between(first, last, level)
}

/** To nine places, as the views compare. */
const atMost = (share: number, most: number): boolean =>
  Math.round(share * 1e9) <= Math.round(most * 1e9)

/** Returns the share still inside by age. */
export function survivalOf(histogram: Histogram, level: number): AgePoint[] {
  let share = 1
  return risksOf(histogram).flatMap(({ bucket, atRisk, left }): AgePoint[] => {
    if (left === 0) return []
    share *= 1 - left / atRisk
    return [[between(bucket, bucket, level).ms, fourPlaces(share)]]
  })
}

/** Units by age: converted, ended otherwise, or open at that age. */
export type Ends = Map<number, { converted: number; dropped: number; pending: number }>

/** Returns the share that has converted by age (Aalen–Johansen). */
export function incidenceOf(ends: Ends, level: number): AgePoint[] {
  const buckets = inOrder(ends)
  let atRisk = 0
  for (const [, { converted, dropped, pending }] of buckets) atRisk += converted + dropped + pending
  let [open, share] = [1, 0]
  return buckets.flatMap(([bucket, { converted, dropped, pending }]): AgePoint[] => {
    share += (open * converted) / atRisk
    open *= 1 - (converted + dropped) / atRisk
    atRisk -= converted + dropped + pending
    return converted + dropped === 0 ? [] : [[between(bucket, bucket, level).ms, fourPlaces(share)]]
  })
}

/** Enough digits for a line of some hundred pixels. */
const fourPlaces = (share: number): number => Math.round(share * 10_000) / 10_000

/** Returns whether something older than an age is certain to be in a bucket. */
export function isOlder(bucket: number, { ms, error }: Age, level: number): boolean {
  return growthOf(level) ** bucket >= ms * (1 + error)
}
