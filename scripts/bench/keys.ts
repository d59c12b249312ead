/** A late event in the middle of one key's history: a component, a profile and a stream. */

import { openFeed } from './feed.ts'
import { formatInstant } from '../../pipeline/base/clock.ts'

const START = 1_772_323_200_000_000
const MINUTE = 60_000_000
/** Events of a session; a longer pause follows. */
const SESSION = 20
const PAUSE = 40 * MINUTE
const BATCH = 20_000
const LATE_EVENTS = 5
const NAMES = ['Product Viewed', 'Product Added', 'Checkout Started', 'Order Completed'] as const

/** The identifiers of an event, by its number. */
const KEYS: [what: string, of: (i: number) => { [namespace: string]: string }][] = [
  ['a component, an identifier an event', (i) => ({ user_id: 'u', email: `e${i}@example.com` })],
  [
    'a profile, a stream a session',
    (i) => ({ user_id: 'u', anonymous_id: `a${Math.floor(i / SESSION)}` }),
  ],
  ['a stream', () => ({ anonymous_id: 'a' })],
]

export type KeyCost = { what: string; events: number; ms: number; cpuMs: number }

/** Yields the least time of a batch of one late event, for each key with a quarter, half and all of
 * `events`. */
export async function* keyCosts(dir: string, events: number): AsyncGenerator<KeyCost> {
  for (const [k, [what, identifiersOf]] of KEYS.entries()) {
    for (const count of [events / 4, events / 2, events].map(Math.floor)) {
      const pipeline = await openFeed(dir, `key-${k}-${count}`)
      const line = (i: number, id = `e${i}`, later = 0) =>
        JSON.stringify({
          event_id: id,
          name: NAMES[i % NAMES.length],
          occurred_at: formatInstant(START + i * MINUTE + Math.floor(i / SESSION) * PAUSE + later),
          identifiers: identifiersOf(i),
        })
      for (let from = 0; from < count; from += BATCH) {
        const length = Math.min(BATCH, count - from)
        await pipeline.apply(Array.from({ length }, (_, i) => line(from + i)))
      }
      let least = { ms: Infinity, cpuMs: Infinity }
      for (let late = 0; late < LATE_EVENTS; late++) {
        const middle = Math.floor(count / 2) + late
        const cost = await pipeline.apply([line(middle, `late${late}`, 1)])
        if (cost.cpuMs < least.cpuMs) least = cost
      }
      await pipeline.close()
      yield { what, events: count, ...least }
    }
  }
}
