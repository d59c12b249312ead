/** The time of a batch in a running process, after histories of several lengths. */

import { nextLines } from './cold.ts'
import { openFeed } from './feed.ts'
import { Shop } from '../sample/shop.ts'

const BATCHES_TIMED = 9
/** Batch size between the measured histories. */
const FILLING = 20_000
/** Part of the history whose rate is measured at its start and its end. */
const PART = 500_000

export type FlatTimes = {
  /** Median milliseconds of a batch after each history. */
  medians: number[]
  /** Milliseconds for the first and the last events of the longest history; null if it is short. */
  parts: [first: number, last: number] | null
}

/** Feeds a shop to a new DuckDB file with a local state store, as `npm start` does. Times `batch`
 * events after each of the histories, ascending. */
export async function flatTimes(
  dir: string,
  batch: number,
  histories: readonly number[],
): Promise<FlatTimes> {
  const longest = histories.at(-1) ?? 0
  const pipeline = await openFeed(dir, 'flat')
  const lines = new Shop(9).lines(longest + batch * BATCHES_TIMED * histories.length)
  const feed = async (count: number) => (await pipeline.apply(nextLines(lines, count))).ms
  const medians: number[] = []
  const parts: [first: number, last: number] = [0, 0]
  let history = 0
  for (const upTo of histories) {
    while (history < upTo) {
      const count = Math.min(FILLING, upTo - history)
      const elapsed = await feed(count)
      if (history < PART) parts[0] += elapsed
      if (history >= longest - PART) parts[1] += elapsed
      history += count
    }
    const times: number[] = []
    for (let i = 0; i < BATCHES_TIMED; i++) times.push(await feed(batch))
    history += batch * BATCHES_TIMED
    medians.push(times.toSorted((a, b) => a - b)[Math.floor(BATCHES_TIMED / 2)] ?? 0)
  }
  await pipeline.close()
  return { medians, parts: longest >= 2 * PART ? parts : null }
}
