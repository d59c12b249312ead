/** A track of 30 states with long names and 99 ways, of which the 43 ways back are the rarest. */

import type { StatePart, WayPart } from '../../../scripts/report/document.ts'

const STATES = 30

type ManyWays = { states: StatePart[]; ways: WayPart[] }

export function manyWays(): ManyWays {
  const states = Array.from({ length: STATES }, (_, i): StatePart => {
    const isFinal = i === STATES - 1
    return {
      name: `waiting_for_the_customer_to_confirm_the_reconciliation_of_step_${i}`,
      isFinal,
      outcome: isFinal ? 'success' : null,
      entered: 1_000 - i,
      inside: 3,
      profileCount: 500,
    }
  })
  const pairs = (step: number, count: number) =>
    Array.from({ length: count }, (_, i): [number, number] => {
      const from = step > 0 ? i : i - step
      return [from, from + step]
    })
  const on = [...pairs(1, 29), ...pairs(2, 27)]
  const back = [...pairs(-1, 22), ...pairs(-3, 21)]
  const ways = [...on, ...back].map(([from, to], i): WayPart => ({
    from: states[from]?.name ?? '',
    to: states[to]?.name ?? '',
    cause: 'event',
    count: 1_000 - i * 10,
    profileCount: 10,
    probability: 0.5,
    shareOfStays: 0.4,
    medianMs: 90_000,
    events: [{ name: 'An event with a name that is longer than most', count: 1 }],
  }))
  return { states, ways }
}
