/** The last seven days that are decided, and the seven before. */

import { DAY_MS } from './cube/cube.ts'

const DAYS = 7

/** First and last day, in milliseconds. */
export type Days = { from: number; to: number }
export type Windows = { recent: Days; before: Days }

/**
 * Returns the windows of a watermark. `withinMs` is the window of a funnel: a day is decided once
 * the window of its last entry is over; null, or 0, for what is decided at once.
 */
export function windowsOf(watermark: number, withinMs: number | null): Windows {
  const end = Math.floor((watermark - (withinMs ?? 0)) / DAY_MS) * DAY_MS
  const days = (last: number): Days => ({ from: last - (DAYS - 1) * DAY_MS, to: last })
  return { recent: days(end - DAY_MS), before: days(end - (DAYS + 1) * DAY_MS) }
}

/** The watermark with which the days before were first decided. */
export function decidedAt({ before }: Windows, withinMs: number | null): number {
  return before.to + DAY_MS + (withinMs ?? 0)
}
